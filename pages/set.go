package pages

// Page is one database page after a commit.
type Page struct {
	No   uint32 // from 1
	Data []byte // Set.PageSize bytes
}

// Set is what one or more consecutive commits changed: the newest content of
// each page they wrote, in ascending order of No, each once, none past Size.
// The zero Set changes nothing.
type Set struct {
	PageSize uint32 // bytes, a power of two from 512 to 65536
	Size     uint32 // pages in the database after the last of the commits
	Pages    []Page
}

// Empty reports whether the set changes nothing.
func (s Set) Empty() bool { return len(s.Pages) == 0 && s.Size == 0 }
