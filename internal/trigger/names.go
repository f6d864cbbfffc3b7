package trigger

import (
	"encoding/json"
	"strings"

	"github.com/relight-aws/relight/internal/remedy"
)

// namesAt returns the names found in a detail at a path, or none: for an
// event without a usable name, a null or oversized part, or a shape that was
// never seen. Seen were a string, a list of strings, EC2's one-element list
// as an object {"content": …, "tag": 1}, and a part of the record as a string
// of JSON.
func namesAt(detail json.RawMessage, path []string) remedy.Names {
	if len(path) == 0 {
		return ""
	}
	var node any
	if json.Unmarshal(detail, &node) != nil {
		return ""
	}
	for _, step := range path {
		object, ok := unquote(node).(map[string]any)
		if !ok {
			return ""
		}
		node = object[step]
	}
	names, ok := texts(node)
	if !ok {
		return ""
	}
	return remedy.NamesOf(names...)
}

// texts returns the strings of a node, and false if any part of it is
// something else: names that cannot all be read are no names.
func texts(node any) ([]string, bool) {
	switch node := node.(type) {
	case string:
		return []string{node}, node != "" && !strings.Contains(node, "\n")
	case map[string]any:
		return texts(node["content"])
	case []any:
		var all []string
		for _, e := range node {
			some, ok := texts(e)
			if !ok {
				return nil, false
			}
			all = append(all, some...)
		}
		return all, len(all) > 0
	}
	return nil, false
}

// unquote returns the value in a string of JSON, and any other node as it is.
func unquote(node any) any {
	s, ok := node.(string)
	if !ok {
		return node
	}
	var inner any
	if json.Unmarshal([]byte(s), &inner) != nil {
		return node
	}
	return inner
}
