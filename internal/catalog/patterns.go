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

// A Detail is the part of a Pattern that matches a CloudTrail record.
type Detail struct {
	EventName  []string          `json:"eventName"`
	ErrorCode  []map[string]bool `json:"errorCode"`
	Parameters *Parameters       `json:"requestParameters,omitempty"`
}

// Parameters is the part of a Detail that matches the tags of a request.
type Parameters struct {
	TagSet struct {
		Items struct {
			Key []string `json:"key"`
		} `json:"items"`
	} `json:"tagSet"`
}

// parameters returns what the call's rule matches in the request. It returns
// nil if the rule matches any request.
func (c Call) parameters() *Parameters {
	if c.Tag == "" {
		return nil
	}
	var p Parameters
	p.TagSet.Items.Key = []string{c.Tag}
	return &p
}

// Tagged reports whether the pattern matches only requests with a tag.
func (p Pattern) Tagged() bool { return p.tag() != "" }

// tag returns the key of the tag that a request must have; "" for none.
func (p Pattern) tag() string {
	if p.Detail == nil || p.Detail.Parameters == nil {
		return ""
	}
	return p.Detail.Parameters.TagSet.Items.Key[0]
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
// and another for the calls about tags, in table order. Refused calls change
// nothing, so no pattern matches them.
func PatternsOf(calls []Call, kinds ...Kind) []Pattern {
	var patterns []Pattern
	for _, c := range calls {
		if !slices.ContainsFunc(c.Kinds, func(k Kind) bool { return slices.Contains(kinds, k) }) {
			continue
		}
		i := slices.IndexFunc(patterns, func(p Pattern) bool {
			return p.Source[0] == c.Source && p.DetailType[0] == c.DetailType && p.tag() == c.Tag
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
		if !slices.Contains(patterns[i].Detail.EventName, c.Name) { // it may have a row for each kind
			patterns[i].Detail.EventName = append(patterns[i].Detail.EventName, c.Name)
		}
	}
	return patterns
}
