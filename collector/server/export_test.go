package server

import "net/http"

// Handler returns the handler of all paths, for tests without a network.
func (s *Server) Handler() http.Handler { return s.http.Handler }
