package catalog

import "slices"

// onForwarders are the types of the parts of a forwarder whose changes events tell
// of. Every forwarder sends the guard the events of calls on these.
var onForwarders = []ResourceType{EventRule, SQSQueue, Stack}

// onForwarder reports whether a call may change a forwarder.
func (c Call) onForwarder() bool {
	return slices.Contains(c.Kinds, Guard) && slices.Contains(onForwarders, c.Type)
}

// Forwarders returns the regions that send events to the home region: the listed
// ones, and the one that raises the events of global services. It leaves that region
// out if it is to be skipped, because nothing could be deployed there.
func (b Baseline) Forwarders(home string) []string {
	var regions []string
	for _, r := range b.Regions {
		if r != home && !slices.Contains(regions, r) {
			regions = append(regions, r)
		}
	}
	global := GlobalRegion(home)
	if global != home && !slices.Contains(slices.Concat(regions, b.Skipped), global) && len(PatternsOf(GlobalCalls(b.Calls()), b.Guard.Kinds...)) > 0 {
		regions = append(regions, global)
	}
	return regions
}

// ForwarderRules returns the rules of a region's forwarder. A listed region sends the
// events of the regional kinds, and the region that raises the events of global
// services sends those. Each sends the events of calls on the forwarder itself.
func (b Baseline) ForwarderRules(home, region string) []Rule {
	listed, global := slices.Contains(b.Regions, region), region == GlobalRegion(home)
	return b.forwarding(region, func(c Call, k Kind) bool {
		if Global(c.Source) {
			return global
		}
		return k.Regional() && listed || k == Guard && c.onForwarder()
	})
}

// forwarding returns the rules of a region that send the events of those calls that can
// harm a kind and are to be sent for it.
func (b Baseline) forwarding(region string, sends func(Call, Kind) bool) []Rule {
	sent := slices.DeleteFunc(b.Calls(), func(c Call) bool {
		return !slices.ContainsFunc(c.Kinds, func(k Kind) bool { return b.Guard.Has(k) && sends(c, k) })
	})
	var rules []Rule
	for _, p := range PatternsOf(sent, b.Guard.Kinds...) {
		rules = append(rules, Rule{Name: b.Name("forward-" + RuleID(p)), Forwarder: region, Pattern: p})
	}
	return rules
}

// ForwardRole returns the name of the role with which the rules of a region's
// forwarder send events to the home region.
func (b Baseline) ForwardRole(region string) string { return b.Name("forward-" + region) }

// Covers reports whether relight protects a kind in a region. The guard also covers
// the forwarders.
func (b Baseline) Covers(k Kind, home, region string) bool {
	return k.Regional() || region == home || k == Guard && slices.Contains(b.Forwarders(home), region)
}

// Parts are the parts of one stack of relight's: the one of the home region, or a
// forwarder's.
type Parts struct {
	Stack     string // its name
	Rules     []Rule
	Queues    []Queue
	Mappings  []Mapping
	Functions []Function
	Logs      []string // the log groups of the functions; none if the deployment is not known
	Sweeps    bool     // it has the schedules of the sweep

	Alarms []StackAlarm // those of a forwarder; the alarms of the home stack belong to the kind Alarms
}

// Parts returns the parts of the stack of a region, none for a region that has no
// stack of relight's. Those of a guarded account, whose stack may have any name, include
// what it has only if it owns a trail.
func (b Baseline) Parts(home, region string) Parts {
	undelivered := []Queue{{Name: b.Name(Undelivered), Buses: []string{""}, Forwarder: region}}
	switch {
	case b.Member != "" && slices.Contains(b.SpokeRegions(home), region):
		return Parts{Rules: b.SpokeRules(home, region, true), Queues: undelivered}
	case b.Member != "":
		return Parts{}
	case region == home:
		feeds := b.allFeeds(home)
		return Parts{
			Stack: b.StackName(), Rules: b.rules(feeds), Queues: b.queues(feeds), Mappings: b.mappings(feeds), Sweeps: true,
			Functions: b.Deployed(),
		}
	case slices.Contains(b.Forwarders(home), region):
		return Parts{
			Stack: b.ForwarderName(region), Rules: b.ForwarderRules(home, region),
			Queues: undelivered,
			Alarms: []StackAlarm{UndeliveredAlarm().Of(b.Name(Undelivered))},
		}
	}
	return Parts{}
}

// Deployed returns the functions of the home stack.
func (b Baseline) Deployed() []Function {
	return slices.DeleteFunc(Binaries(), func(f Function) bool {
		return f == Auditor && !b.Audit.On() || f != Backfill && f != Auditor && !b.Guard.Has(Kind(f))
	})
}

// OfForwarder returns the desired state with the alarms of a region's forwarder as
// those of the stack, and with the forwarder's topic.
func (d Desired) OfForwarder(region, topic string) Desired {
	d.StackAlarms = d.Parts(d.HomeRegion, region).Alarms
	d.Topic, d.TopicKey, d.LastResort = topic, "", ""
	d.DeadLetters = map[string]string{Undelivered: d.Name(Undelivered)}
	return d
}
