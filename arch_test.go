package easel_test

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/easelhq/easel"

// layer says which of our own packages a package may import, and why no others.
type layer struct {
	pkg    string // below the module; "" is the root
	may    []string
	reason string
}

// layers is the architecture: a new package starts with a line here.
var layers = []layer{
	{"", nil, "the nouns are what everything speaks in, so they depend on nothing"},
	{"internal/freeport", nil, "where a test's processes listen has nothing to do with what they are"},
	{"pages", nil, "sets of pages are pure and know neither their maker nor their keeper"},
	{"blob", nil, "a store of objects is useful to programs that have no actors"},
	{"migrations", nil, "schemas are data"},
	{"imaging", []string{""}, "reading an image file needs no actor and no store"},
	{"web", nil, "the page is data"},
	{"opcodec", []string{""}, "the JSON of ops is the same for every way in and out"},
	{"journal", []string{"pages", "blob", "journal/fencing"}, "the durable home keeps pages and knows nothing of what they mean"},
	{"journal/fencing", nil, "decisions are pure: what is asked of a store comes out as a value"},
	{"journal/fencing/fencingtest", []string{"journal/fencing"}, "a scheduler of one thread, for simulations of what is fenced"},
	{"journal/journaltest", []string{"pages", "journal", "blob"}, "the contract test sees only the contract"},
	{"blob/blobtest", []string{"blob", "internal/freeport"}, "the contract test sees only the contract"},
	{"sqlite", []string{"pages", "journal"}, "a working copy knows pages and templates, not actors"},
	{"sqlite/sqlitetest", []string{"sqlite", "pages", "journal"}, "it opens files for other packages' tests"},
	{"actors", []string{"", "pages", "journal", "sqlite"}, "the runtime knows nothing of annotations: other programs define their own actors with it"},
	{"wire", nil, "what nodes say to each other is data"},
	{"cluster", []string{"", "actors", "wire"}, "nodes carry messages and place actors, and know nothing of what is in them"},
	{"tenant", []string{"", "actors", "sqlite", "migrations"}, "a tenant's turn is pure: no network, no store, no other actor's rules"},
	{"canvas", []string{"", "actors", "sqlite", "migrations", "opcodec", "tenant"}, "an image's turn is pure; of tenants it knows only the messages it sends"},
	{"live", []string{"", "actors", "canvas", "opcodec"}, "rooms hold no file and speak to images by message only"},
	{"live/livetest", []string{"", "actors", "canvas", "journal", "live", "sqlite", "tenant"}, "it is a whole node without its edge, for tests of the edge"},
	{"cron", []string{"", "actors", "sqlite"}, "a job is a function with a schedule; what it does is its maker's"},
	{"client", []string{"", "opcodec"}, "a program that speaks with Easel needs its nouns and its JSON, and nothing of its inside"},
	{"turnstile", []string{""}, "who may go next depends on nothing but whose turn it is"},
	{"gallery", []string{"", "actors", "canvas", "tenant", "blob", "imaging", "journal", "turnstile"}, "what spans actors and blobs speaks to actors by message; only chores name and erase histories"},
	{"archive", []string{"", "actors", "blob", "canvas", "journal", "pages", "sqlite", "tenant", "turnstile"}, "it handles homes as files, with or without a node, and knows no requests"},
	{"auth", []string{"", "actors", "tenant"}, "who somebody is does not depend on what is served"},
	{
		"transport",
		[]string{"", "actors", "archive", "auth", "blob", "canvas", "cron", "gallery", "imaging", "live", "opcodec", "tenant", "transport/sse", "transport/ws", "web"},
		"the edge reaches actors by message, never their files or their journal",
	},
	{"transport/sse", []string{"", "actors", "live", "canvas"}, "one stream knows rooms and frames, not routes"},
	{"transport/ws", []string{"", "actors", "live", "canvas"}, "one socket knows rooms and frames, not routes"},
	{
		"cmd/easel",
		[]string{
			"", "actors", "archive", "auth", "blob", "canvas", "client", "cluster", "cron", "gallery", "imaging", "journal", "live", "migrations", "sqlite", "tenant",
			"transport", "transport/sse", "transport/ws", "web",
		},
		"the one place that knows every part",
	},
	{"e2e", nil, "these tests see only what a client and an operator see"},
	{"e2e/faultproxy", nil, "it stands between a node and its store and knows neither"},
	{"e2e/tally", nil, "reports of tests are data"},
	{"e2e/torture", []string{"e2e/tally"}, "it runs tests and knows only what they report"},
	{"e2e/linear", nil, "the model of an image knows the contract and nothing of what keeps it"},
	{"examples/chatroom", []string{"", "actors", "journal", "sqlite"}, "it shows what the runtime is without annotations"},
}

// keeper says which of our packages may import a module of others.
type keeper struct {
	path   string
	may    []string
	reason string
}

var keepers = []keeper{
	{"modernc.org/", []string{"sqlite"}, "another open of the same file in this process breaks its locks and its capture"},
	{"github.com/superfly/ltx", []string{"pages"}, "the format of merges and snapshots is decided once"},
	{"github.com/minio/minio-go", []string{"blob"}, "its retries must be switched off in one place"},
	{"github.com/asynkron/protoactor-go/actor", []string{"actors", "cluster"}, "its panics reset state silently; turns recover before it sees them"},
	{"github.com/asynkron/protoactor-go", []string{"actors", "cluster"}, "clustering is replaced from outside in one place"},
	{"github.com/hashicorp/memberlist", []string{"cluster"}, "its callbacks deadlock when used carelessly"},
	{"github.com/gorilla/websocket", []string{"transport/ws", "client"}, "its limits and UTF-8 checks have to be completed in one place"},
	{"github.com/golang-jwt/jwt", []string{"auth"}, "it takes other algorithms and tokens without exp unless told otherwise"},
	{"github.com/MicahParks/", []string{"auth"}, "remote keys belong to identity"},
	{"github.com/danielgtaylor/huma", []string{"transport"}, "routes are declared in one place"},
	{"github.com/rs/cors", []string{"transport"}, "origins are decided at the edge"},
	{"github.com/robfig/cron", []string{"cron"}, "schedules are read in one place"},
	{"gopkg.in/yaml.v3", []string{"cmd/easel"}, "only the program reads configuration"},
	{"go.opentelemetry.io/otel/sdk", []string{"cmd/easel"}, "packages trace through the API; the program chooses where to"},
	{"go.opentelemetry.io/otel/exporters", []string{"cmd/easel"}, "packages trace through the API; the program chooses where to"},
}

// TestPackagesImportOnlyWhatTheirLayerMay reads the imports of every file that
// ships (test files may look anywhere).
func TestPackagesImportOnlyWhatTheirLayerMay(t *testing.T) {
	for _, f := range shipped(t) {
		i := slices.IndexFunc(layers, func(l layer) bool { return l.pkg == f.pkg })
		if i < 0 {
			t.Errorf("%s: package %q has no line in layers; say what it may import and why", f.name, f.pkg)
			continue
		}
		for _, imported := range f.imports() {
			own, ours := strings.CutPrefix(imported, module)
			if own = strings.TrimPrefix(own, "/"); ours && own != f.pkg && !slices.Contains(layers[i].may, own) {
				t.Errorf("%s imports %s: %s", f.name, imported, layers[i].reason)
			}
			if f.pkg == "" && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
				t.Errorf("%s imports %s: the root package imports the standard library only", f.name, imported)
			}
		}
	}
}

func TestModulesOfOthersAreImportedWhereTheyAreKept(t *testing.T) {
	for _, f := range shipped(t) {
		for _, imported := range f.imports() {
			for _, k := range keepers {
				if strings.HasPrefix(imported, k.path) && !slices.Contains(k.may, f.pkg) {
					t.Errorf("%s imports %s: %s", f.name, imported, k.reason)
				}
			}
		}
	}
}

// TestNothingEndsTheProcessButMain: anything else could not be tested or cleaned
// up after.
func TestNothingEndsTheProcessButMain(t *testing.T) {
	for _, f := range shipped(t) {
		if f.tree.Name.Name == "main" && path.Base(f.name) == "main.go" {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := call.X.(*ast.Ident); ok {
				name := x.Name + "." + call.Sel.Name
				if name == "os.Exit" || strings.HasPrefix(name, "log.Fatal") || strings.HasPrefix(name, "log.Panic") {
					t.Errorf("%s: %s outside main", f.at(n), name)
				}
			}
			return true
		})
	}
}

// TestPackageVariablesAreNeverAssigned: what looks like a constant table is one.
// Shared state would tie two nodes in one process together.
func TestPackageVariablesAreNeverAssigned(t *testing.T) {
	files := shipped(t)
	globals := map[string]map[string]bool{} // package, variable
	specs := map[any]bool{}
	for _, f := range files {
		if globals[f.pkg] == nil {
			globals[f.pkg] = map[string]bool{}
		}
		for _, d := range f.tree.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				specs[v] = true
				for _, name := range v.Names {
					globals[f.pkg][name.Name] = true
				}
				if len(v.Values) == 0 && !embedded(g.Doc) && !embedded(v.Doc) && !ast.IsGenerated(f.tree) {
					t.Errorf("%s: package variable %s starts empty, so something must change it", f.at(v), v.Names[0].Name)
				}
			}
		}
	}
	for _, f := range files {
		if ast.IsGenerated(f.tree) {
			continue // protobuf's descriptors are filled in when the program starts
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			var changed []ast.Expr
			switch s := n.(type) {
			case *ast.AssignStmt:
				if s.Tok != token.DEFINE {
					changed = s.Lhs
				}
			case *ast.IncDecStmt:
				changed = []ast.Expr{s.X}
			}
			for _, e := range changed {
				id := rootIdent(e)
				if id == nil || id.Name == "_" || !globals[f.pkg][id.Name] {
					continue
				}
				// Resolved to something else: a local of the same name.
				if id.Obj != nil && !specs[id.Obj.Decl] {
					continue
				}
				t.Errorf("%s: assigns package variable %s", f.at(n), id.Name)
			}
			return true
		})
	}
}

// source is one parsed file of the module.
type source struct {
	name string // slash-separated, below the module
	pkg  string
	tree *ast.File
	set  *token.FileSet
}

func (s source) at(n ast.Node) string {
	return s.name + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}

func (s source) imports() []string {
	var out []string
	for _, i := range s.tree.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err == nil {
			out = append(out, p)
		}
	}
	return out
}

// shipped parses every Go file of the module except tests.
func shipped(t *testing.T) []source {
	t.Helper()
	var out []source
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "dist" || base == "data") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		// Files of other platforms, or that are built only on request, do not ship.
		if ships, err := build.Default.MatchFile(filepath.Dir(name), base); err != nil || !ships {
			return err
		}
		tree, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(name)
		pkg := path.Dir(slashed)
		if pkg == "." {
			pkg = ""
		}
		out = append(out, source{slashed, pkg, tree, set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func embedded(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	return slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed") })
}

// rootIdent returns x of x, x.y, x[i] and *x.
func rootIdent(e ast.Expr) *ast.Ident {
	for {
		switch v := e.(type) {
		case *ast.Ident:
			return v
		case *ast.SelectorExpr:
			e = v.X
		case *ast.IndexExpr:
			e = v.X
		case *ast.StarExpr:
			e = v.X
		case *ast.ParenExpr:
			e = v.X
		default:
			return nil
		}
	}
}
