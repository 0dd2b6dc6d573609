// The command apiserver serves a synthetic cluster on a loopback port that it
// prints, until its standard input is closed or a signal ends it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/daemonset-exporter/daemonset_exporter/test/synthetic"
)

func main() { os.Exit(run()) }

func run() int {
	var config synthetic.Config
	flag.IntVar(&config.Size.Nodes, "nodes", 1000, "nodes of the cluster")
	flag.IntVar(&config.Size.DaemonSets, "daemonsets", 20, "DaemonSets, each with a pod on each node")
	flag.IntVar(&config.Size.OtherPods, "other-pods", 0, "pods that no DaemonSet made")
	flag.Float64Var(&config.Size.BrokenPercent, "broken", 1, "percent of cells without a working pod")
	flag.BoolVar(&config.NoStreamedLists, "no-streamed-lists", false, "refuse to stream lists, as API servers before 1.32 do")
	address := flag.String("listen-address", "127.0.0.1:0", "where to listen")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with whoever started us
		cancel()
	}()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		fmt.Fprintln(os.Stderr, "apiserver:", err)
		return 1
	}
	server := &http.Server{
		Handler:           synthetic.NewServer(config),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // watches have no end of their own
	defer stop()
	fmt.Printf("http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, "apiserver:", err)
		return 1
	}
	return 0
}
