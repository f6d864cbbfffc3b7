package catalog

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// A Pattern is an EventBridge event pattern for one source and detail type.
type Pattern struct {
	Source     []string `json:"source"`
	DetailType []string `json:"detail-type"`
	Detail     *Detail  `json:"detail,omitempty"`
}

// A Detail is the part of a Pattern that matches a CloudTrail record.
type Detail struct {
	EventName  []string          `json:"eventName"`
	ErrorCode  []map[string]bool `json:"errorCode"`
	Parameters map[string]any    `json:"requestParameters,omitempty"` // what the request must have
}

// parameters returns what the call's rule matches in the request. It returns
// nil if the rule matches any request.
func (c Call) parameters() map[string]any {
	switch {
	case c.Tagged:
		return map[string]any{"tagSet": map[string]any{"items": map[string]any{"key": c.Tags}}}
	case c.Memory:
		parameter := strings.TrimPrefix(c.Path, "requestParameters.")
		names := make([]map[string]string, len(c.under))
		for i, begins := range c.under {
			names[i] = map[string]string{"prefix": begins}
		}
		return map[string]any{parameter: names}
	}
	return nil
}

// Narrow returns what distinguishes the pattern from others of its source and
// detail type: "tagged" or "memory", with the parameter that names the memory;
// "" for nothing.
func (p Pattern) Narrow() string {
	if p.Detail == nil || p.Detail.Parameters == nil {
		return ""
	}
	for parameter := range p.Detail.Parameters {
		if parameter != "tagSet" {
			return "memory " + parameter
		}
	}
	return "tagged"
}

// String returns the pattern as the JSON that PutRule accepts.
func (p Pattern) String() string {
	b, err := json.Marshal(p)
	if err != nil { // strings, and slices and maps of strings, always marshal
		panic(err)
	}
	return string(b)
}

// PatternsOf returns the event patterns that together match every call that
// can harm one of the kinds. There is one pattern per source and detail type,
// and another for the calls about tags or memories, in table order. Refused calls change
// nothing, so no pattern matches them.
func PatternsOf(calls []Call, kinds ...Kind) []Pattern {
	var patterns []Pattern
	for _, c := range calls {
		if !slices.ContainsFunc(c.Kinds, func(k Kind) bool { return slices.Contains(kinds, k) }) {
			continue
		}
		parameters := c.parameters() // none for nearly all
		i := slices.IndexFunc(patterns, func(p Pattern) bool {
			return p.Source[0] == c.Source && p.DetailType[0] == c.DetailType && (p.Detail == nil ||
				len(p.Detail.Parameters)+len(parameters) == 0 || reflect.DeepEqual(p.Detail.Parameters, parameters))
		})
		if i < 0 {
			i = len(patterns)
			patterns = append(patterns, Pattern{Source: []string{c.Source}, DetailType: []string{c.DetailType}})
		}
		if c.Name == "" {
			continue
		}
		if patterns[i].Detail == nil {
			patterns[i].Detail = &Detail{ErrorCode: []map[string]bool{{"exists": false}}, Parameters: parameters}
		}
		if !slices.Contains(patterns[i].Detail.EventName, c.Name) { // it may have a row for each kind
			patterns[i].Detail.EventName = append(patterns[i].Detail.EventName, c.Name)
		}
	}
	return patterns
}
