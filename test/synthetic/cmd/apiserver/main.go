// Command apiserver serves a synthetic cluster and prints its URL. A line such as
// "nodes 1000 200" on its standard input sends 1000 changes of nodes to all watches, 200
// per second, and prints "sent". It ends when its standard input is closed or on a
// signal.
package main

import (
	"bufio"
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
	flag.BoolVar(&config.NoHistory, "no-history", false, "Reject watches that resume where they were, as an API server does that was restarted.")
	address := flag.String("listen-address", "127.0.0.1:0", "Address to listen on.")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	cluster := synthetic.NewServer(config)
	go func() {
		defer cancel()
		if err := obey(ctx, cluster, os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, "apiserver:", err)
		}
	}()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		fmt.Fprintln(os.Stderr, "apiserver:", err)
		return 1
	}
	server := &http.Server{
		Handler:           cluster,
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

// obey sends the changes that are asked for, until there is no more input: the parent has
// ended.
func obey(ctx context.Context, cluster *synthetic.Server, input io.Reader) error {
	for lines := bufio.NewScanner(input); lines.Scan(); {
		var resource string
		var count, perSecond int
		if _, err := fmt.Sscan(lines.Text(), &resource, &count, &perSecond); err != nil || perSecond <= 0 {
			return fmt.Errorf("%q is not a resource, a number of changes and how many per second", lines.Text())
		}
		if err := cluster.Change(ctx, resource, count, perSecond); err != nil {
			return err
		}
		fmt.Println("sent")
	}
	return nil
}
