package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode puts what JSON says into v, which has its defaults, and returns every problem
// that it has. Of a value with a problem, v keeps the default. encoding/json stops at
// the first problem of most sorts, takes the last of two equal keys, ignores the case
// of keys, describes types as Go does, and needs as long to learn the types as all else
// that a function does when it starts.
func decode(doc element, v any) problems {
	if _, ok := doc.value.(map[string]element); !ok {
		return problems{fmt.Errorf("not a configuration: use an object in { } instead of this %s", doc.sort())}
	}
	var p problems
	doc.eachRepeated("", func(path string) { p.unless(false, "%s is there twice: remove one", path) })
	p.fit("", doc, reflect.ValueOf(v).Elem())
	return p
}

// An element is a value in JSON text: a map[string]element, a
// []element, or what encoding/json
// makes of any other. The keys of an object that it has more than once are repeated.
type element struct {
	value    any
	repeated []string
}

func (n element) sort() string {
	switch v := n.value.(type) {
	case nil:
		return "null"
	case bool:
		return "true or false"
	case string:
		return "string"
	case json.Number:
		return "number " + v.String()
	case []element:
		return "array"
	}
	return "object"
}

// eachRepeated calls f with the path of each key that is repeated.
func (n element) eachRepeated(path string, f func(path string)) {
	for _, k := range n.repeated {
		f(join(path, k))
	}
	switch v := n.value.(type) {
	case map[string]element:
		for _, k := range sortedKeys(v) {
			v[k].eachRepeated(join(path, k), f)
		}
	case []element:
		for i, e := range v {
			e.eachRepeated(fmt.Sprintf("%s[%d]", path, i), f)
		}
	}
}

// parse returns what JSON text says. Editors on Windows begin a file with a byte order
// mark, which the CDK ignores, too.
func parse(raw []byte) (element, problems) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	var whole json.RawMessage
	err := json.Unmarshal(raw, &whole)
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		return read(decoder), nil
	}
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok || syntax.Offset >= int64(len(raw)) && !strings.Contains(err.Error(), "invalid character") {
		return element{}, problems{errors.New("not a configuration: the text ends before its JSON does: a quote, a } or a ] is missing")}
	}
	before := raw[:max(syntax.Offset-1, 0)]
	line, column := bytes.Count(before, []byte("\n"))+1, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])+1
	char, _ := utf8.DecodeRune(raw[len(before):])
	return element{}, problems{fmt.Errorf("not a configuration: line %d, column %d: JSON has no %q there; it also has no comments, no comma behind a last value and nothing behind the last brace", line, column, char)}
}

// read reads the next value, which is valid.
func read(d *json.Decoder) element {
	token, _ := d.Token()
	switch token {
	case json.Delim('{'):
		n, object := element{}, map[string]element{}
		for d.More() {
			token, _ := d.Token()
			key, _ := token.(string)
			if _, twice := object[key]; twice {
				n.repeated = append(n.repeated, key)
			}
			object[key] = read(d)
		}
		_, _ = d.Token()
		n.value = object
		return n
	case json.Delim('['):
		list := []element{}
		for d.More() {
			list = append(list, read(d))
		}
		_, _ = d.Token()
		return element{value: list}
	}
	return element{value: token}
}

// fit sets to to the part of a value that its type can have, and returns whether there is
// one. The rest are problems: unknown keys and values of another type.
func (p *problems) fit(path string, n element, to reflect.Value) bool {
	switch {
	case n.value == nil:
		return true // as if it were absent
	case to.Kind() == reflect.Interface:
		to.Set(reflect.ValueOf(p.plain(n)))
		return true
	case to.Kind() == reflect.Pointer:
		pointed := reflect.New(to.Type().Elem())
		good := p.fit(path, n, pointed.Elem())
		if good {
			to.Set(pointed)
		}
		return good
	}
	good := false
	switch v := n.value.(type) {
	case map[string]element:
		switch to.Kind() {
		case reflect.Struct:
			p.fitStruct(path, v, to)
			return true
		case reflect.Map:
			p.fitMap(path, v, to)
			return true
		}
	case []element:
		if to.Kind() == reflect.Slice {
			p.fitList(path, v, to)
			return true
		}
	case string:
		if good = to.Kind() == reflect.String; good {
			to.SetString(v)
		}
	case bool:
		if good = to.Kind() == reflect.Bool; good {
			to.SetBool(v)
		}
	case json.Number:
		switch to.Kind() {
		case reflect.Int, reflect.Int32:
			i, err := strconv.ParseInt(v.String(), 10, 32)
			if good = err == nil; good {
				to.SetInt(i)
			}
		case reflect.Float64:
			f, err := v.Float64()
			if good = err == nil; good {
				to.SetFloat(f)
			}
		}
	}
	if !good {
		p.unless(false, "%s: use %s instead of this %s", path, form(to.Type()), n.sort())
	}
	return good
}

func (p *problems) fitStruct(path string, object map[string]element, to reflect.Value) {
	fields := jsonFields(to.Type())
	for _, k := range sortedKeys(object) {
		if i, ok := fields[k]; ok {
			p.fit(join(path, k), object[k], to.Field(i))
		} else {
			p.unless(false, "unknown key %q%s", join(path, k), suggest(k, sortedKeys(fields)))
		}
	}
}

func (p *problems) fitMap(path string, object map[string]element, to reflect.Value) {
	to.Set(reflect.MakeMapWithSize(to.Type(), len(object)))
	for _, k := range sortedKeys(object) {
		value := reflect.New(to.Type().Elem()).Elem()
		if p.fit(join(path, k), object[k], value) {
			to.SetMapIndex(reflect.ValueOf(k), value)
		}
	}
}

func (p *problems) fitList(path string, list []element, to reflect.Value) {
	of := to.Type().Elem()
	to.Set(reflect.MakeSlice(to.Type(), 0, len(list)))
	for i, n := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		p.unless(n.value != nil || of.Kind() == reflect.Interface, "%s: use %s instead of null", at, form(of))
		value := reflect.New(of).Elem()
		good := p.fit(at, n, value) && n.value != nil
		if good || of.Kind() == reflect.Struct || of.Kind() == reflect.Interface { // so that the others keep their positions
			to.Set(reflect.Append(to, value))
		}
	}
}

// plain returns a value as encoding/json decodes it without a type.
func (p *problems) plain(n element) any {
	switch v := n.value.(type) {
	case map[string]element:
		object := map[string]any{}
		for k, e := range v {
			object[k] = p.plain(e)
		}
		return object
	case []element:
		list := []any{}
		for _, e := range v {
			list = append(list, p.plain(e))
		}
		return list
	case json.Number:
		f, err := v.Float64()
		p.unless(err == nil, "not a configuration: %v", err)
		return f
	}
	return n.value
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

// form says what a value of a type looks like in JSON.
func form(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text in double quotes"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32:
		return "a whole number of up to nine digits"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list in [ ]"
	}
	return "an object in { }"
}

// jsonFields returns the positions of a struct's fields by their keys.
func jsonFields(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = i
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
