package iampolicy

import (
	"encoding/json"
	"slices"
	"strings"
)

// Same reports whether two documents mean the same. It ignores order, whether
// a single value is in a list, Sids, and the case of actions and condition
// keys. Texts that are no documents are the same only if they are equal.
func Same(a, b string) bool { return canonical(a) == canonical(b) }

// canonical returns one spelling of a document, or the text as it is where it
// is none.
func canonical(text string) string {
	d, err := Parse(text)
	if err != nil || text == "" {
		return text
	}
	statements := make([]string, len(d.Statements))
	for i, st := range d.Statements {
		var members map[string]any
		if err := json.Unmarshal(st.raw, &members); err != nil {
			return text
		}
		delete(members, "Sid")
		for name, v := range members {
			switch name {
			case "Action", "NotAction":
				members[name] = list(v, strings.ToLower)
			case "Condition":
				operators, _ := v.(map[string]any)
				for operator, keys := range operators {
					operators[operator] = lists(keys, strings.ToLower)
				}
			default:
				members[name] = lists(v, asIs)
			}
		}
		statements[i] = marshal(members)
	}
	slices.Sort(statements)
	return d.Version + " " + strings.Join(slices.Compact(statements), "\n")
}

func asIs(s string) string { return s }

// lists makes every value of an object a list, and spells its names as asked.
// What is no object becomes a list itself.
func lists(v any, spell func(string) string) any {
	object, ok := v.(map[string]any)
	if !ok {
		return list(v, asIs)
	}
	out := map[string]any{}
	for name, inner := range object {
		out[spell(name)] = list(inner, asIs)
	}
	return out
}

// list returns a value, or a list of values, as a sorted list of texts.
func list(v any, spell func(string) string) []string {
	values, ok := v.([]any)
	if !ok {
		values = []any{v}
	}
	out := make([]string, len(values))
	for i, e := range values {
		s, ok := e.(string)
		if !ok { // numbers and booleans of conditions
			s = marshal(e)
		}
		out[i] = spell(s)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
