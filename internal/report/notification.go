package report

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

const (
	// mostMessage is the largest message, with its attributes, in bytes. Source: SNS API
	// Reference, Publish and MessageAttributeValue: 262,144 bytes, and the names, types and
	// values of attributes count. The rest is for what is not counted here.
	mostMessage = 255_000
	// mostValues is how many values an attribute has at most.
	mostValues = 20
)

// Attributes lists the message attributes, with what each has in Markdown for the docs.
func Attributes() []struct{ Name, Type, Has string } {
	return []struct{ Name, Type, Has string }{
		{catalog.AttributeSeverity, "String", "`critical`, `high`, `low` or `info`"},
		{catalog.AttributeKind, "String.Array", "the kinds that the message is about: `trails`, …"},
		{catalog.AttributeAccount, "String", "12 digits"},
		{catalog.AttributeRegion, "String.Array", "the regions that the message is about"},
		{catalog.AttributeActor, "String.Array", "who made the calls: the ARN, as far as the record has one"},
		{catalog.AttributeOutcome, "String", "`not_restored`, `paused`, `restored`, `created`, `needs_action` or `remembered`"},
		{catalog.AttributeCode, "String.Array", "the codes of the findings"},
	}
}

// notification returns the message of a document: for email and SMS a text, for HTTPS
// a custom notification if chat channels are subscribed, and for every other protocol the
// document. It leaves out as much as it must for SNS's limit.
func (d *Document) notification(chat bool) remedy.Notification {
	n := remedy.Notification{Subject: d.Subject, Structured: true, Attributes: d.attributes()}
	size, channel := len(n.Subject), string(marshal(d.chat()))
	for _, a := range n.Attributes {
		size += len(a.Name) + len("String.Array") + len(a.Text())
	}
	_ = d.fit(mostMessage-size, func(small Document) []byte {
		texts := map[string]string{"default": string(marshal(small)), "email": small.Text, "sms": small.Subject}
		if chat {
			texts["https"] = channel
		}
		message := marshal(texts)
		n.Message = string(message)
		return message
	})
	return n
}

// fit renders a document with fewer and fewer of its items, until the result has no more
// than most bytes, and returns it.
func (d *Document) fit(most int, render func(Document) []byte) []byte {
	for limit := partLines; ; limit /= 2 {
		out := render(d.cut(max(limit, 1)))
		if len(out) <= most || limit <= 1 {
			return out
		}
	}
}

// cut returns a document with at most so many of each of its items, and its text.
func (d *Document) cut(limit int) Document {
	c := *d
	c.Text = d.text(limit)
	cutTo(&c, &c.Causes, limit)
	cutTo(&c, &c.Actors, limit)
	cutTo(&c, &c.Restored, limit)
	cutTo(&c, &c.Created, limit)
	cutTo(&c, &c.Removed, limit)
	cutTo(&c, &c.Remembered, limit)
	cutTo(&c, &c.Failed, limit)
	cutTo(&c, &c.Remaining, limit)
	cutTo(&c, &c.Postponed, limit)
	cutTo(&c, &c.Unread, limit)
	cutTo(&c, &c.Findings, limit)
	cutTo(&c, &c.Notices, limit)
	cutTo(&c, &c.Skipped, limit)
	c.Causes, c.Notices = slices.Clone(c.Causes), slices.Clone(c.Notices)
	for i := range c.Causes {
		cutTo(&c, &c.Causes[i].Names, limit)
	}
	for i := range c.Notices {
		cutTo(&c, &c.Notices[i].Names, limit)
	}
	return c
}

func cutTo[T any](d *Document, all *[]T, limit int) {
	if len(*all) > limit {
		*all, d.Truncated = (*all)[:limit], true
	}
}

// attributes returns what filter policies can select by. A message has no attribute of
// which it has no value: SNS takes no empty one.
func (d *Document) attributes() []remedy.Attribute {
	var kinds []string
	for _, k := range d.Kinds {
		kinds = append(kinds, string(k))
	}
	all := []remedy.Attribute{
		{Name: catalog.AttributeSeverity, Values: []string{string(d.Severity)}},
		{Name: catalog.AttributeKind, Values: kinds, List: true},
		{Name: catalog.AttributeAccount, Values: []string{d.Account}},
		{Name: catalog.AttributeRegion, Values: d.Regions, List: true},
		{Name: catalog.AttributeActor, Values: d.Actors, List: true},
		{Name: catalog.AttributeOutcome, Values: []string{string(d.Outcome)}},
		{Name: catalog.AttributeCode, Values: codes(d.Codes), List: true},
	}
	all = slices.DeleteFunc(all, func(a remedy.Attribute) bool { return len(a.Values) == 0 })
	for i := range all {
		all[i].Values = all[i].Values[:min(len(all[i].Values), mostValues)]
	}
	return all
}

// detailType returns the detail type of a document's event.
func (d *Document) detailType() string {
	switch d.Outcome {
	case OutcomeNotRestored:
		return catalog.EventNotRestored
	case OutcomePaused:
		if len(d.Postponed) > 0 {
			return catalog.EventNotRestored
		}
	case OutcomeRestored, OutcomeCreated:
		return catalog.EventRestored
	}
	return catalog.EventFinding
}

// marshal returns JSON as it is read: without escapes for HTML.
func marshal(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte(`"` + strings.ReplaceAll(clean(err.Error()), `"`, "'") + `"`) // nothing here can fail to encode
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
