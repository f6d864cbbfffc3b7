package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// unknownKeys returns one error for every key in raw that the type of v does
// not have, with the nearest key that exists. encoding/json can refuse unknown
// keys too, but it stops at the first and suggests nothing.
func unknownKeys(raw []byte, v any) error {
	var doc any
	if json.Unmarshal(raw, &doc) != nil {
		return nil //nolint:nilerr // the caller decodes raw too, and reports the error
	}
	var p problems
	walk(&p, "", doc, reflect.TypeOf(v))
	return p.join()
}

func walk(p *problems, path string, doc any, t reflect.Type) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch doc := doc.(type) {
	case map[string]any:
		if t.Kind() == reflect.Map {
			for _, k := range sortedKeys(doc) {
				walk(p, path+k+".", doc[k], t.Elem())
			}
			return
		}
		if t.Kind() != reflect.Struct {
			return // json.Unmarshal reports the mismatch
		}
		fields := jsonFields(t)
		for _, k := range sortedKeys(doc) {
			f, ok := fields[k]
			p.unless(ok, "unknown key %q%s", path+k, suggest(k, sortedKeys(fields)))
			if ok {
				walk(p, path+k+".", doc[k], f)
			}
		}
	case []any:
		if t.Kind() == reflect.Slice {
			for _, e := range doc {
				walk(p, path, e, t.Elem())
			}
		}
	}
}

func jsonFields(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type, t.NumField())
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = f.Type
	}
	return fields
}

// suggest returns ": did you mean …?" with the known word nearest to word. It
// returns all known words if none is near.
func suggest(word string, known []string) string {
	best, bestDistance := "", len(word)
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	if best == "" {
		return ": use one of " + strings.Join(known, ", ")
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

// distance returns the Levenshtein distance between two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
