package remedy

import "encoding/json"

// A Notification is one message to a topic.
type Notification struct {
	Subject    string
	Message    string
	Structured bool // Message is a JSON object with a text for each protocol
	Attributes []Attribute
}

// An Attribute is a message attribute, which filter policies of subscriptions match.
type Attribute struct {
	Name   string
	Values []string // one, unless List
	List   bool     // of type String.Array
}

// Text returns the value as SNS wants it.
func (a Attribute) Text() string {
	if a.List {
		raw, err := json.Marshal(a.Values)
		if err != nil {
			return "[]" // no text fails to encode
		}
		return string(raw)
	}
	return a.Values[0]
}
