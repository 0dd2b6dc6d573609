package informers

import (
	"net"
	"testing"

	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/apiserver"
	"github.com/daemonset-exporter/daemonset_exporter/internal/testing/check"
)

// client-go returns an empty watch, and no error, for a connection that is lost
// before the response.
func TestRequestOutcome(t *testing.T) {
	t.Parallel()
	withServer(t, "a lost connection is not an empty watch", func(t *testing.T, server *apiserver.Server) {
		listener := check.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				connection, err := listener.Accept()
				if err != nil {
					return
				}
				_ = connection.Close()
			}
		}()
		runSet(t, server, func(o *Options) { o.Config.Host = "http://" + listener.Addr().String() }).awaitErrors(ErrorUnreachable)
	})
}
