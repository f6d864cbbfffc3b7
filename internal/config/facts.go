package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Facts are what a configuration says beyond its defaults: for each value its path, such
// as controls.root-usage.threshold, and the value as JSON text. An element of a list of
// objects has a path of its own, with its
// position: addControls.#0.id. Equal facts are equal configurations.
//
// A dot in a key is ~1, a # at its beginning ~2, and a ~ is ~0.
type Facts map[string]string

var (
	escaped   = strings.NewReplacer("~", "~0", ".", "~1")
	unescaped = strings.NewReplacer("~2", "#", "~1", ".", "~0", "~")
)

// Facts returns what c, which is complete, says beyond the defaults.
func (c Config) Facts() Facts {
	defaults, err := Parse(nil)
	if err != nil { // a test parses the empty configuration
		panic(err)
	}
	defaults.FlowLogs.LogGroup = "" // its default follows from the prefix
	prefixed := defaults
	prefixed.Prefix = c.Prefix
	prefixed.complete()
	facts, usual := Facts{}, Facts{}
	flatten(facts, "", document(c))
	flatten(usual, "", document(prefixed))
	usual["prefix"] = strconv.Quote(defaults.Prefix)
	for path, value := range usual {
		if facts[path] == value {
			delete(facts, path)
		}
	}
	return facts
}

// document returns c as JSON decodes it, with numbers as they were written.
func document(c Config) any {
	raw, err := json.Marshal(c)
	if err != nil { // texts, numbers, and slices and maps of them always marshal
		panic(err)
	}
	var doc any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&doc); err != nil {
		panic(err)
	}
	return doc
}

func flatten(into Facts, path string, value any) {
	at := func(key string) string { return strings.TrimPrefix(path+"."+key, ".") }
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			key = escaped.Replace(key)
			if rest, sharp := strings.CutPrefix(key, "#"); sharp {
				key = "~2" + rest
			}
			flatten(into, at(key), inner)
		}
		if len(v) > 0 || path == "" {
			return
		}
	case []any:
		if !slices.ContainsFunc(v, func(e any) bool { return reflect.TypeOf(e) != reflect.TypeFor[map[string]any]() }) && len(v) > 0 {
			for i, inner := range v {
				flatten(into, at("#"+strconv.Itoa(i)), inner)
			}
			return
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	into[path] = strings.TrimSuffix(text.String(), "\n")
}

// Config returns the configuration with these facts, completed and validated.
func (f Facts) Config() (Config, error) {
	root := &node{}
	for _, path := range sortedKeys(f) {
		if !json.Valid([]byte(f[path])) {
			return Config{}, fmt.Errorf("%s: %q is not JSON", path, f[path])
		}
		at := root
		for key := range strings.SplitSeq(path, ".") {
			at = at.child(key)
		}
		at.text = f[path]
	}
	raw, err := root.json()
	if err != nil {
		return Config{}, err
	}
	return Parse(raw)
}

// A node is a value of a configuration that is put together again.
type node struct {
	text string // JSON; "" unless it is a leaf
	keys map[string]*node
}

func (n *node) child(key string) *node {
	if n.keys == nil {
		n.keys = map[string]*node{}
	}
	if n.keys[key] == nil {
		n.keys[key] = &node{}
	}
	return n.keys[key]
}

func (n *node) json() ([]byte, error) {
	if n.text != "" && n.keys != nil {
		return nil, fmt.Errorf("a value is both %s and an object", n.text)
	}
	if n.text != "" {
		return []byte(n.text), nil
	}
	keys := sortedKeys(n.keys)
	if len(keys) > 0 && strings.HasPrefix(keys[0], "#") {
		var list []json.RawMessage
		for i := range keys {
			element := n.keys["#"+strconv.Itoa(i)]
			if element == nil {
				return nil, fmt.Errorf("a list of %d has no element %d", len(keys), i)
			}
			raw, err := element.json()
			if err != nil {
				return nil, err
			}
			list = append(list, raw)
		}
		return json.Marshal(list)
	}
	object := map[string]json.RawMessage{}
	for _, key := range keys {
		raw, err := n.keys[key].json()
		if err != nil {
			return nil, err
		}
		object[unescaped.Replace(key)] = raw
	}
	return json.Marshal(object)
}

// A Difference is a fact of which two configurations say different things. A text is ""
// where the configuration says nothing and the default holds.
type Difference struct {
	Path string `json:"path"`
	Was  string `json:"deployed"`
	Now  string `json:"local"`
}

// Differences returns what other says differently, sorted by path.
func (f Facts) Differences(other Facts) []Difference {
	var list []Difference
	paths := append(sortedKeys(f), sortedKeys(other)...)
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		if f[path] != other[path] {
			list = append(list, Difference{Path: path, Was: f[path], Now: other[path]})
		}
	}
	return list
}
