package actors

// Counts returns how many durable actors this node owns, and how many of them have
// their file open. It looks at each, so it is for people and chores.
func (s *System) Counts() (owned, open int) {
	s.each(func(r running) {
		if a, ok := r.(*durable); ok {
			owned++
			if a.memory.Load() > 0 {
				open++
			}
		}
	})
	return owned, open
}
