package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/relight-aws/relight/internal/catalog"
)

// formatChat is the format of a subscriber that is Amazon Q Developer in chat
// applications.
const formatChat = "chat"

// minimum returns the severity from which on a subscriber gets messages, without its
// filter policy.
func (c Config) minimum(s Subscriber) catalog.Severity {
	switch {
	case s.Minimum != "":
		return catalog.Severity(s.Minimum)
	case c.Notify.Minimum != "":
		return catalog.Severity(c.Notify.Minimum)
	case catalog.ForPeople(s.Protocol) || s.Format == formatChat:
		return catalog.Low
	}
	return catalog.Info
}

// least returns the least severity of the messages that a subscriber gets.
func (c Config) least(s Subscriber) catalog.Severity {
	values, chooses := s.FilterPolicy[catalog.AttributeSeverity]
	if !chooses {
		return c.minimum(s)
	}
	bySeverity := catalog.FilterPolicy{catalog.AttributeSeverity: values}
	least := catalog.Critical
	for _, severity := range catalog.Severities() {
		if bySeverity.PassesAll(severity) {
			least = severity
		}
	}
	return least
}

// Minimum returns the severity from which on relight sends messages: the least that a
// configured subscriber gets. Without one, somebody may have subscribed by hand.
func (c Config) Minimum() catalog.Severity {
	if len(c.Subscribers) == 0 {
		return catalog.Info
	}
	minimum := catalog.Critical
	for _, s := range c.Subscribers {
		if least := c.least(s); minimum.AtLeast(least) {
			minimum = least
		}
	}
	return minimum
}

// Filters reports whether a subscription to the topic has a filter policy.
func (c Config) Filters() bool {
	return slices.ContainsFunc(c.Subscribers, func(s Subscriber) bool { return len(c.filterPolicy(s)) > 0 })
}

// Chat reports whether HTTPS subscribers are chat channels.
func (c Config) Chat() bool {
	return slices.ContainsFunc(slices.Concat(c.Subscribers, c.LastSubscribers()), func(s Subscriber) bool { return s.Format == formatChat })
}

// filterPolicy returns the filter policy of a subscriber's subscription to the topic.
// What no subscriber gets is not sent, and so needs none: a subscription with a filter
// policy hears no alarms, which have no attributes. If SNS should compare a filter policy
// with no attributes where AWS documents that it does not, or should not see those of a
// message with a text for each protocol, exists lets more through instead of less
// (beliefs filters-need-an-attribute, documented, and
// filters-see-attributes-of-structured-messages, assumed).
func (c Config) filterPolicy(s Subscriber) catalog.FilterPolicy {
	policy := maps.Clone(s.FilterPolicy)
	_, chooses := policy[catalog.AttributeSeverity]
	if minimum := c.minimum(s); !chooses && minimum != c.Minimum() {
		if policy == nil {
			policy = catalog.FilterPolicy{}
		}
		for _, severity := range catalog.Severities() {
			if severity.AtLeast(minimum) {
				policy[catalog.AttributeSeverity] = append(policy[catalog.AttributeSeverity], string(severity))
			}
		}
		policy[catalog.AttributeSeverity] = append(policy[catalog.AttributeSeverity], map[string]any{"exists": false})
	}
	return policy
}

// notified sets who is notified by which topic. The topic of last resort has no filter
// policies, so it carries every alarm where the topic has some.
func (c Config) notified(b *catalog.Baseline) {
	for _, s := range c.Subscribers {
		b.Subscribers = append(b.Subscribers, catalog.Subscriber{Protocol: s.Protocol, Endpoint: s.Endpoint, Filter: c.filterPolicy(s).String()})
	}
	for _, s := range c.LastSubscribers() {
		b.LastHeard = append(b.LastHeard, catalog.Subscriber{Protocol: s.Protocol, Endpoint: s.Endpoint})
	}
	if !c.Filters() {
		return
	}
	for i := range b.Controls {
		b.Controls[i].Both = true
	}
	for i := range b.FlowLogControls {
		b.FlowLogControls[i].Both = true
	}
	for i := range b.StackAlarms {
		b.StackAlarms[i].Both = true
	}
}

// validateSubscribers checks who is notified, and of what.
func (c Config) validateSubscribers(p *problems) {
	p.severity("notify.minimum", c.Notify.Minimum)
	formats := map[bool]bool{}
	each := func(list string, all []Subscriber, filters bool) {
		for i, s := range all {
			field := fmt.Sprintf("%s[%d]", list, i)
			p.subscriber(field, s)
			p.unless(!slices.ContainsFunc(all[:i], func(o Subscriber) bool {
				return catalog.Subscriber{Protocol: s.Protocol, Endpoint: s.Endpoint}.Is(o.Protocol, o.Endpoint)
			}), "%s is listed before: remove it", field)
			p.unless(filters || s.Minimum == "" && len(s.FilterPolicy) == 0,
				"%s: minimum and filterPolicy are for subscribers, because the topic of last resort carries what the topic cannot: leave them out", field)
			p.severity(field+".minimum", s.Minimum)
			p.filterPolicy(field, s)
			p.unless(s.Format == "" || s.Format == formatChat, "%s.format %q: use chat, or leave it out", field, s.Format)
			p.unless(s.Format != formatChat || s.Protocol == "https", "%s.format: Amazon Q Developer in chat applications subscribes by https: leave the format out", field)
			if s.Protocol == "https" {
				formats[s.Format == formatChat] = true
			}
		}
	}
	each("subscribers", c.Subscribers, true)
	each("lastResort.subscribers", c.LastResort.Subscribers, false)
	p.unless(len(formats) < 2, "subscribers: SNS sends the same text to every https subscriber: use https for chat alone, and sqs or lambda for machines")
	p.unless(len(c.Subscribers) == 0 || slices.ContainsFunc(c.Subscribers, func(s Subscriber) bool { return s.FilterPolicy.PassesAll(catalog.Critical) }),
		"subscribers: every filterPolicy keeps some critical messages out: let one subscriber get all of them, with a filterPolicy that chooses by no attribute other than severity, or with none")
}

func (p *problems) severity(field, name string) {
	if name != "" {
		_, err := catalog.ParseSeverity(name)
		p.unless(err == nil, "%s: %v", field, err)
	}
}

func (p *problems) filterPolicy(field string, s Subscriber) {
	for _, why := range s.FilterPolicy.Check() {
		p.unless(false, "%s.filterPolicy%s", field, why)
	}
	severities := s.FilterPolicy[catalog.AttributeSeverity]
	p.unless(len(severities) == 0 || s.Minimum == "", "%s: minimum and filterPolicy.severity say the same: leave one of them out", field)
	for _, v := range severities {
		if name, isText := v.(string); isText {
			p.severity(field+".filterPolicy.severity", name)
		}
	}
}
