package spoke

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// The logical IDs of what every region has beside its rules.
const (
	forwardID     = "ForwardRole"
	undeliveredID = "Undelivered"
)

// forwarder adds the rules of every region that has some, the role with which they send
// events to the bus of the hub, and the queue for events that could not be delivered.
//
// A bus in another account takes events of a rule only with a role: AWS recommends one for
// every bus, and demands it if the bus admits an organisation. Sources: Amazon EventBridge
// User Guide, "Permissions for event buses", and API Reference, PutPermission, documented.
// A bus accepts no retry policy, so EventBridge tries for a day.
func (t template) forwarder() {
	of := t.ForwardRoleOf(partition, account, t.home, region)
	t.add(forwardID, "AWS::IAM::Role", "", t.bounded(object{
		"RoleName":                 sub(of.Name),
		"Description":              either(ownsTrail, of.OfOwner, of.Description),
		"AssumeRolePolicyDocument": t.filled(of.Trust),
		"Policies":                 []any{object{"PolicyName": catalog.ForwardPolicy, "PolicyDocument": t.filled(of.Policies[catalog.ForwardPolicy])}},
		"Tags":                     t.tags(),
	}))

	t.add(undeliveredID, "AWS::SQS::Queue", "", object{
		"QueueName": t.Name(catalog.Undelivered), "MessageRetentionPeriod": catalog.DeadLetterSeconds, "SqsManagedSseEnabled": true, "Tags": t.tags(),
	})
	queue := attribute(undeliveredID, "Arn")
	t.add(undeliveredID+"Policy", "AWS::SQS::QueuePolicy", "", object{"Queues": []any{ref(undeliveredID)}, "PolicyDocument": document(
		object{
			"Effect": "Deny", "Action": "sqs:*", "Principal": object{"AWS": "*"}, "Resource": queue,
			"Condition": object{"Bool": object{"aws:SecureTransport": "false"}},
		},
		object{
			"Effect": "Allow", "Action": "sqs:SendMessage", "Principal": object{"Service": "events.amazonaws.com"}, "Resource": queue,
			"Condition": object{"ArnLike": object{"aws:SourceArn": []any{sub("arn:" + partition + ":events:" + region + ":" + account + ":rule/" + t.Prefix + "-*")}}},
		},
	)})

	target := object{"Id": catalog.TargetID, "Arn": sub(t.HubBus(partition, t.home)), "RoleArn": attribute(forwardID, "Arn"), "DeadLetterConfig": object{"Arn": queue}}
	for _, r := range t.rules() {
		t.add(r.id, "AWS::Events::Rule", r.condition, object{
			"Name": r.name, "Description": r.description, "State": "ENABLED", "EventPattern": r.pattern, "Targets": []any{target},
		})
	}
}

// A place is a sort of region of an account: the conditions of the template tell which of
// them a stack is in. They are in the order in which the conditions are asked.
type place struct {
	condition string
	region    string // one of that sort
	owner     bool
}

// The conditions of places beside the home region.
const (
	atGlobal  = "AtGlobal"
	elsewhere = "Elsewhere"
)

// places returns the sorts of regions that have rules.
func (t template) places() []place {
	all := []place{{ownsTrail, t.home, true}, {atHome, t.home, false}}
	global := catalog.GlobalRegion(t.home)
	further := t.Forwarders(t.home)
	if slices.Contains(further, global) {
		all = append(all, place{atGlobal, global, false})
	}
	if i := slices.IndexFunc(further, func(r string) bool { return r != global }); i >= 0 { // every other one has the same rules
		all = append(all, place{elsewhere, further[i], false})
	}
	return all
}

// A rule is one rule of the template.
type rule struct {
	id, name, description string
	condition             string // "" in every region
	pattern               any
}

// rules returns the rules of all places, by the order in which the places have them. One
// that several places have matches in each what it matches there.
func (t template) rules() []rule {
	places := t.places()
	var names []string
	in := map[string][]*catalog.Rule{} // by name and place; nil where the place has none
	for i, p := range places {
		for _, r := range t.SpokeRules(t.home, p.region, p.owner) {
			if in[r.Name] == nil {
				in[r.Name] = make([]*catalog.Rule, len(places))
				names = append(names, r.Name)
			}
			in[r.Name][i] = &r
		}
	}
	var rules []rule
	for _, name := range names {
		var pattern any
		var had []string
		for i := len(places) - 1; i >= 0; i-- {
			r := in[name][i]
			if r == nil {
				continue
			}
			had = append(had, places[i].condition)
			own := generic(r.Pattern)
			switch {
			case pattern == nil, reflect.DeepEqual(pattern, own):
				pattern = own
			default:
				pattern = either(t.named(places[i].condition), own, pattern)
			}
		}
		first := in[name][slices.IndexFunc(in[name], func(r *catalog.Rule) bool { return r != nil })]
		rules = append(rules, rule{
			id: logical(catalog.RuleID(first.Pattern)), name: name, description: first.Description(),
			condition: t.where(had, len(places)), pattern: pattern,
		})
	}
	return rules
}

// where returns the condition of what these of so many places have, "" for all of them, and
// adds it to the template. The place of an owner is in the home region.
func (t template) where(had []string, places int) string {
	if len(had) == places {
		return ""
	}
	if slices.Contains(had, atHome) {
		had = slices.DeleteFunc(had, func(c string) bool { return c == ownsTrail })
	}
	slices.Sort(had)
	name := strings.Join(had, "Or")
	if len(had) > 1 {
		var some []any
		for _, c := range had {
			some = append(some, object{"Condition": t.named(c)})
		}
		t.conditions[name] = object{"Fn::Or": some}
	}
	return t.named(name)
}

// named returns the name of the condition of a place, which it adds to the template if it
// is not there.
func (t template) named(condition string) string {
	global := equals(ref("AWS::Region"), catalog.GlobalRegion(t.home))
	switch condition {
	case atGlobal:
		t.conditions[atGlobal] = global
	case elsewhere:
		t.conditions[elsewhere] = object{"Fn::Not": []any{object{"Fn::Or": []any{object{"Condition": atHome}, global}}}}
	}
	return condition
}

// generic returns a pattern as JSON objects.
func generic(p catalog.Pattern) (out object) {
	if err := json.Unmarshal([]byte(p.String()), &out); err != nil { // a pattern's text is JSON
		panic(err)
	}
	return out
}

// logical returns a logical ID, which has letters and digits only, for the rule with that
// ID.
func logical(id string) string {
	var out strings.Builder
	out.WriteString("Forward")
	for word := range strings.SplitSeq(id, "-") {
		out.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return out.String()
}
