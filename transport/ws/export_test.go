package ws

// Config returns what the server was made of, with what was left out filled in.
func (s *Server) Config() Config { return s.config }
