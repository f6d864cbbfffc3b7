package tap

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
)

// lowerFirst returns a member's name as records spell it: only the first letter
// changes, so OKActions becomes oKActions.
func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return string(unicode.ToLower(rune(s[0]))) + s[1:]
}

// numeric matches text that stands for a number and not for an account or a
// name: twelve digits and leading zeros remain text.
var numeric = regexp.MustCompile(`^-?(0|[1-9]\d{0,8})(\.\d+)?$`)

// typed converts text to the type that it stands for. The XML-based protocols
// carry no types, but records do.
func typed(v any) any {
	s, ok := v.(string)
	switch {
	case !ok:
		return v
	case s == "true" || s == "false":
		return s == "true"
	case numeric.MatchString(s):
		return json.Number(s)
	}
	return s
}

// freeText matches the members whose values are text even if they look like
// numbers: names and values that the caller chose.
var freeText = regexp.MustCompile(`(?i)(name|value|key|description|id|arn|namespace|prefix|version|document|token|endpoint|reason)s?$`)

// verbatim lists the members that map the caller's own keys to values. These
// keys are not members and keep their case.
var verbatim = map[string]bool{"attributes": true, "tags": true, "dimensions": true, "context": true, "messageAttributes": true}

// camel converts the members of a JSON or CBOR body.
func camel(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			k = lowerFirst(k)
			if _, keys := e.(map[string]any); keys && verbatim[k] {
				out[k] = e
			} else {
				out[k] = camel(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = camel(e)
		}
		return out
	}
	return v
}

// queryRequest converts the parameters of the query protocol to the JSON form
// of the same call: lists without their "member", maps without their "entry",
// numbers and booleans typed.
func queryRequest(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if list, ok := v["member"].([]any); ok && len(v) == 1 {
			return queryRequest(name, list)
		}
		if entries, ok := v["entry"].([]any); ok && len(v) == 1 {
			out := map[string]any{}
			for _, e := range entries {
				if e, ok := e.(map[string]any); ok {
					key, _ := e["key"].(string)
					out[key] = e["value"]
				}
			}
			return out
		}
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[lowerFirst(k)] = queryRequest(k, e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = queryRequest(name, e)
		}
		return out
	}
	if freeText.MatchString(name) {
		return v
	}
	return typed(v)
}

// queryResponse converts the result of the query protocol, "<XResult>".
func queryResponse(e *element) any {
	if len(e.children) == 0 {
		if freeText.MatchString(e.name) {
			return e.text
		}
		return typed(e.text)
	}
	var list []any
	out := map[string]any{}
	for _, c := range e.children {
		switch c.name {
		case "member":
			list = append(list, queryResponse(c))
		case "entry":
			out[c.textOf("key")] = c.textOf("value")
		default:
			out[lowerFirst(c.name)] = queryResponse(c)
		}
	}
	if list != nil {
		return list
	}
	return out
}

// secret matches the members that CloudTrail leaves out of records: secrets,
// and a function's code and variables.
var secret = regexp.MustCompile(`(?i)^(secretAccessKey|sessionToken|password|newPassword|oldPassword|secretString|secretBinary|zipFile|variables)$`)

func withoutSecrets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if secret.MatchString(k) {
				delete(v, k)
			} else {
				withoutSecrets(e)
			}
		}
	case []any:
		for _, e := range v {
			withoutSecrets(e)
		}
	}
	return v
}

// isEmpty reports whether a value contains nothing to record.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case map[string]any:
		return len(v) == 0
	}
	return false
}
