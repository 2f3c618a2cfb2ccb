package turnstile

// Tenants counts those who are remembered.
func (s *Turnstile) Tenants() int { return len(s.by) }
