// Command apiserver serves a synthetic cluster and prints its URL. It ends when its
// standard input is closed or on a signal.
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
	flag.IntVar(&config.Size.Nodes, "nodes", 1000, "Number of nodes.")
	flag.IntVar(&config.Size.DaemonSets, "daemonsets", 20, "Number of DaemonSets, each with a pod on each node.")
	flag.IntVar(&config.Size.OtherPods, "other-pods", 0, "Number of pods without a DaemonSet.")
	flag.Float64Var(&config.Size.BrokenPercent, "broken", 1, "Percentage of cells without a working pod.")
	flag.BoolVar(&config.NoStreamedLists, "no-streamed-lists", false, "Reject streamed lists, as API servers before 1.32 do.")
	address := flag.String("listen-address", "127.0.0.1:0", "Address to listen on.")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // closed when the parent ends
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
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // watches do not end by themselves
	defer stop()
	fmt.Printf("http://%s\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, "apiserver:", err)
		return 1
	}
	return 0
}
