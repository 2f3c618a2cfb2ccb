package journal

// Shared implements Journal: one process holds the folder under flock.
func (n *Node) Shared() bool { return false }
