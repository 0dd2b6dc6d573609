package scenarios

import (
	"net"
	"sync"
)

// proxy forwards TCP connections until it is frozen: then they stay open and
// silent, as behind a broken network. Or until it is cut: then they are closed, and new
// ones are refused.
type proxy struct {
	listener net.Listener
	target   string
	frozen   chan struct{}
	once     sync.Once

	mu    sync.Mutex
	conns []net.Conn // from the exporter
	isCut bool
}

func newProxy(target string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, frozen: make(chan struct{})}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.pass(conn)
		}
	}()
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) freeze() { p.once.Do(func() { close(p.frozen) }) }

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = true
	p.close()
	for _, conn := range p.conns {
		_ = conn.Close()
	}
}

// keep reports whether a connection may be passed on.
func (p *proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conn)
	return !p.isCut
}

func (p *proxy) close() { _ = p.listener.Close() }

func (p *proxy) pass(from net.Conn) {
	select {
	case <-p.frozen:
		return // accepted, without a response
	default:
	}
	to, err := net.Dial("tcp", p.target)
	if err != nil || !p.keep(from) {
		_ = from.Close()
		return
	}
	go p.copy(to, from)
	p.copy(from, to)
}

// copy copies until it is frozen, which leaves both connections open.
func (p *proxy) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-p.frozen:
			return
		default:
		}
		if n > 0 {
			if _, failure := to.Write(buffer[:n]); err == nil {
				err = failure
			}
		}
		if err != nil {
			_ = to.Close()
			_ = from.Close()
			return
		}
	}
}
