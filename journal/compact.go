package journal

func (n *Node) wakeCompactor() {
	select {
	case n.compact <- struct{}{}:
	default: // it has been told already
	}
}

// compactor is the goroutine that merges what segments hold.
func (n *Node) compactor() {
	for {
		select {
		case <-n.quit:
			return
		case <-n.compact:
		}
	}
}
