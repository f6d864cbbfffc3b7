package catalog

import (
	"encoding/json"
	"slices"
)

// A Pattern is an EventBridge event pattern for one source and detail type.
type Pattern struct {
	Source     []string `json:"source"`
	DetailType []string `json:"detail-type"`
	Detail     *Detail  `json:"detail,omitempty"`
}

// A Detail is the part of a Pattern that looks at a CloudTrail record.
type Detail struct {
	EventName  []string          `json:"eventName"`
	ErrorCode  []map[string]bool `json:"errorCode"`
	Parameters *Parameters       `json:"requestParameters,omitempty"`
}

// Parameters is the part of a Detail that looks at the tags of a request.
type Parameters struct {
	TagSet struct {
		Items struct {
			Key []string `json:"key"`
		} `json:"items"`
	} `json:"tagSet"`
}

// parameters returns what the call's rule asks of the request; nil for any.
func (c Call) parameters() *Parameters {
	if c.Tag == "" {
		return nil
	}
	var p Parameters
	p.TagSet.Items.Key = []string{c.Tag}
	return &p
}

// Tagged reports whether the pattern asks for a tag in the request.
func (p Pattern) Tagged() bool { return p.Detail != nil && p.Detail.Parameters != nil }

// String returns the pattern as the JSON that PutRule takes.
func (p Pattern) String() string {
	b, err := json.Marshal(p)
	if err != nil { // strings, slices and maps of them always marshal
		panic(err)
	}
	return string(b)
}

// PatternsOf returns the event patterns that together match those of the calls
// that can harm one of the kinds: one pattern per source, detail type and
// demand on the request, in table order. Refused calls change nothing, so no
// pattern matches them.
func PatternsOf(calls []Call, kinds ...Kind) []Pattern {
	var patterns []Pattern
	for _, c := range calls {
		if !slices.ContainsFunc(c.Kinds, func(k Kind) bool { return slices.Contains(kinds, k) }) {
			continue
		}
		i := slices.IndexFunc(patterns, func(p Pattern) bool {
			return p.Source[0] == c.Source && p.DetailType[0] == c.DetailType && p.Tagged() == (c.Tag != "")
		})
		if i < 0 {
			i = len(patterns)
			patterns = append(patterns, Pattern{Source: []string{c.Source}, DetailType: []string{c.DetailType}})
		}
		if c.Name == "" {
			continue
		}
		if patterns[i].Detail == nil {
			patterns[i].Detail = &Detail{ErrorCode: []map[string]bool{{"exists": false}}, Parameters: c.parameters()}
		}
		patterns[i].Detail.EventName = append(patterns[i].Detail.EventName, c.Name)
	}
	return patterns
}
