package iampolicy

import (
	"encoding/json"
	"slices"
	"strings"
)

// Same reports whether two documents mean the same. It ignores the order, Sids,
// the case of actions and condition keys, and whether a single value is in a
// list. Texts that are not documents are the same only if they are equal.
func Same(a, b string) bool { return canonical(a) == canonical(b) }

// canonical returns the same text for all documents that mean the same. It
// returns the text unchanged if it is not a document.
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

// lists returns an object with each value as a sorted list and with spell
// applied to each name. It returns a value that is not an object as a list.
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

// list returns a value, or a list of values, as a sorted list of texts with
// spell applied to each.
func list(v any, spell func(string) string) []string {
	values, ok := v.([]any)
	if !ok {
		values = []any{v}
	}
	out := make([]string, len(values))
	for i, e := range values {
		s, ok := e.(string)
		if !ok { // conditions may have numbers and booleans
			s = marshal(e)
		}
		out[i] = spell(s)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
