package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// configKey names the config file itself, which can be given by flag and by
// environment but not inside a config file.
const configKey = "config"

// envName returns the environment variable of a key.
func envName(key string) string {
	return "EASEL_" + strings.ToUpper(strings.ReplaceAll(key, "-", "_"))
}

// source remembers where a value came from, for the message about it.
type source struct{ text, from string }

// loader collects the values of a Config from flags, environment and file.
type loader struct {
	command string   // for the help
	only    []string // keys that are flags of this command; nil: all
	extra   func(*flag.FlagSet)
}

// load reads the whole configuration: flag before environment before file before
// default. It returns a *usageError, or flag.ErrHelp after printing the help.
func (l loader) load(sh shell) (Config, error) {
	var c Config
	opts := c.options()
	flags, err := l.parse(sh, opts)
	if err != nil {
		return Config{}, err
	}
	file, err := readFile(flags, sh.lookup, opts)
	if err != nil {
		return Config{}, err
	}
	for _, o := range opts {
		v := source{text: o.def}
		if s, ok := file[o.name]; ok {
			v = s
		}
		// An empty variable counts as unset: that is how container tools spell it.
		if s, ok := sh.lookup(envName(o.name)); ok && s != "" {
			v = source{s, envName(o.name)}
		}
		if s, ok := flags[o.name]; ok {
			v = source{s, "the command line"}
		}
		if err := o.set(v.text); err != nil {
			message := err.Error()
			if v.from != "" {
				message += " (from " + v.from + ")"
			}
			return Config{}, badKey(o.name, "%s", message)
		}
	}
	return c, nil
}

// parse returns the values of the flags that were given.
func (l loader) parse(sh shell, opts []option) (map[string]string, error) {
	given := map[string]string{}
	fs := flag.NewFlagSet("easel "+l.command, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	collect := func(name string) func(string) error {
		return func(s string) error { given[name] = s; return nil }
	}
	fs.Func(configKey, "", collect(configKey))
	for _, o := range opts {
		switch {
		case l.only != nil && !slices.Contains(l.only, o.name):
		case o.value == "":
			fs.BoolFunc(o.name, "", collect(o.name))
		default:
			fs.Func(o.name, "", collect(o.name))
		}
	}
	if l.extra != nil {
		l.extra(fs)
	}
	err := fs.Parse(sh.args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		l.help(sh.stdout, fs, opts)
		return nil, flag.ErrHelp
	case err != nil:
		return nil, &usageError{message: spellFlag(err.Error())}
	case fs.NArg() > 0:
		return nil, &usageError{message: fmt.Sprintf("unexpected argument %q after easel %s", fs.Arg(0), l.command)}
	}
	return given, nil
}

// spellFlag makes package flag's messages name flags as we do, with two dashes.
func spellFlag(message string) string {
	for _, lead := range []string{"not defined: -", "needs an argument: -", "for -", "for flag -"} {
		message = strings.ReplaceAll(message, lead, lead+"-")
	}
	return message
}

// help lists the flags of a command with their variables and defaults.
func (l loader) help(w io.Writer, fs *flag.FlagSet, opts []option) {
	fmt.Fprintf(w, "usage: easel %s [flags]\n\nEach key is a flag, an environment variable and a key of the config file.\n\n", l.command)
	fmt.Fprintf(w, "  --%s FILE  (%s)\n        YAML file with keys spelled as the flags\n", configKey, envName(configKey))
	known := map[string]bool{configKey: true}
	for _, o := range opts {
		known[o.name] = true
		if fs.Lookup(o.name) == nil {
			continue
		}
		fmt.Fprintf(w, "  --%s  (%s)\n        %s", strings.TrimSpace(o.name+" "+o.value), envName(o.name), o.usage)
		if o.def != "" {
			fmt.Fprintf(w, " (default %s)", o.def)
		}
		fmt.Fprintln(w)
	}
	fs.VisitAll(func(f *flag.Flag) {
		if !known[f.Name] {
			fmt.Fprintf(w, "  --%s\n        %s\n", f.Name, f.Usage)
		}
	})
}

// readFile returns the values of the config file, if one is named.
func readFile(flags map[string]string, lookup func(string) (string, bool), opts []option) (map[string]source, error) {
	path, ok := flags[configKey]
	if !ok {
		path, _ = lookup(envName(configKey))
	}
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, badKey(configKey, "%v", err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(b, &root); err != nil {
		return nil, badKey(configKey, "%s: %s", path, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	if root.Kind == 0 { // an empty file
		return nil, nil
	}
	body := root.Content[0]
	if body.Kind != yaml.MappingNode {
		if body.Tag == "!!null" {
			return nil, nil
		}
		return nil, badKey(configKey, "%s: must hold \"key: value\" lines", path)
	}
	out := map[string]source{}
	for i := 0; i+1 < len(body.Content); i += 2 {
		key, from := body.Content[i].Value, fmt.Sprintf("%s line %d", path, body.Content[i].Line)
		if !slices.ContainsFunc(opts, func(o option) bool { return o.name == key }) {
			return nil, badKey(key, "unknown key (from %s)", from)
		}
		if _, ok := out[key]; ok {
			return nil, badKey(key, "given twice (from %s)", from)
		}
		value := body.Content[i+1]
		if value.Tag == "!!null" { // "key:" with nothing after it leaves the default
			continue
		}
		text, err := scalar(value)
		if err != nil {
			return nil, badKey(key, "%v (from %s)", err, from)
		}
		out[key] = source{text, from}
	}
	return out, nil
}

// scalar returns a value as it would be typed; a list becomes comma-separated.
func scalar(n *yaml.Node) (string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Value, nil
	case yaml.AliasNode:
		return scalar(n.Alias)
	case yaml.SequenceNode:
		var parts []string
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return "", errors.New("must be a list of plain values")
			}
			parts = append(parts, item.Value)
		}
		return strings.Join(parts, ","), nil
	default:
		return "", errors.New("must be a plain value")
	}
}
