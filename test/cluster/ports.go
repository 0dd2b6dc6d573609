package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// freePorts returns n distinct loopback ports on which nothing listens.
//
// They are below the range of outgoing connections on Linux (32768 and up): a
// component that is killed must find its port free when it is restarted, and any
// client on the machine could use one of that range in the meantime. They are
// random, so that clusters that start at the same time do not try the same ones.
func freePorts(ctx context.Context, n int) ([]int, error) {
	const low, high, attempts = 20000, 32000, 1000
	taken := map[int]bool{}
	var ports []int
	var lc net.ListenConfig
	var last error
	for range attempts {
		if len(ports) == n {
			return ports, nil
		}
		port := low + rand.IntN(high-low)
		if taken[port] {
			continue
		}
		taken[port] = true
		l, err := lc.Listen(ctx, "tcp", address(port))
		if err != nil {
			last = err
			continue
		}
		if err := l.Close(); err != nil {
			return nil, fmt.Errorf("close port %d: %w", port, err)
		}
		ports = append(ports, port)
	}
	return nil, fmt.Errorf("find %d free ports: %w", n, errors.Join(last, ctx.Err()))
}

// FreeAddress returns a loopback address on which nothing listens.
func FreeAddress(ctx context.Context) (string, error) {
	ports, err := freePorts(ctx, 1)
	if err != nil {
		return "", err
	}
	return address(ports[0]), nil
}

func address(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
