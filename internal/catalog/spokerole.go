package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// These are the names of the inline policies of the roles in a guarded account.
const (
	SpokePolicy   = "grants"  // of the role that the functions of the hub assume
	OwnerPolicy   = "trail"   // likewise, if the account owns a trail
	ForwardPolicy = "forward" // of the role of a region's rules
)

// A RoleSpec is what a role of a guarded account has to be, as its template says. Its documents
// are JSON objects.
type RoleSpec struct {
	Name        string
	Description string
	Trust       map[string]any
	Policies    map[string]map[string]any // inline policies by name
	Owner       map[string]map[string]any // those that it has in addition if the account owns a trail
	OfOwner     string                    // its description if the account owns a trail; "" for the same
}

// SpokeRoleOf returns the role that the functions of the hub assume in a guarded account of
// a partition. It has the statements that require one of these configuration keys.
func (b Baseline) SpokeRoleOf(partition, account, home string, keys ...string) RoleSpec {
	every, owner := spokeGrantsIn(spokeText, keys...)
	return b.SpokeRoleWith(partition, account, home, every, owner)
}

// SpokeRoleWith returns that role with statements that every account needs, and with those
// that only the account that owns the trail needs.
func (b Baseline) SpokeRoleWith(partition, account, home string, every, owner []Grant) RoleSpec {
	values := b.SpokeValues(partition, account, home)
	return RoleSpec{
		Name:        b.Organization.Role,
		Description: "The functions of relight in account " + b.Organization.Hub + " assume it",
		Trust:       b.spokeTrust(partition),
		Policies:    map[string]map[string]any{SpokePolicy: PolicyDocument(Statements(every, values)...)},
		Owner:       map[string]map[string]any{OwnerPolicy: PolicyDocument(Statements(owner, values)...)},
	}
}

// ForwardRoleOf returns the role with which the rules of a region of a guarded account put
// events on the bus of the hub.
func (b Baseline) ForwardRoleOf(partition, account, home, region string) RoleSpec {
	return RoleSpec{
		Name:        b.ForwardRole(region),
		Description: forwardDescription(b.spokeRulesMark(home, false)),
		Trust: PolicyDocument(map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "events.amazonaws.com"},
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": account}},
		}),
		Policies: map[string]map[string]any{ForwardPolicy: PolicyDocument(map[string]any{
			"Effect": "Allow", "Action": "events:PutEvents", "Resource": b.HubBus(partition, home),
		})},
		OfOwner: forwardDescription(b.spokeRulesMark(home, true)),
	}
}

// HubBus returns the ARN of the bus of the hub, to which the rules of guarded accounts send.
func (b Baseline) HubBus(partition, home string) string {
	return "arn:" + partition + ":events:" + home + ":" + b.Organization.Hub + ":event-bus/" + b.BusName()
}

// forwardDescription returns the description of the role of a region's rules, given the
// mark of the rules that the template has.
func forwardDescription(mark string) string {
	return "relight: the rules of this region put events on the bus of the hub with it (rules " + mark + ")"
}

// spokeRulesMark returns a text that two templates of guarded accounts share if they have
// rules of the same names. CloudFormation creates no rule whose name is taken, so relight
// creates none that the stack of an account does not have: the next version of the template
// may have it. Recorded 2021-12-17 (serverless/serverless, issue 10104): a stack with a rule
// of a taken name fails.
func (b Baseline) spokeRulesMark(home string, owner bool) string {
	var names []string
	for _, region := range b.SpokeRegions(home) {
		for _, r := range b.SpokeRules(home, region, owner) {
			names = append(names, r.Name)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), " ")))
	return hex.EncodeToString(sum[:4])
}

// spokeTrust returns the trust policy of the role that the functions of the hub assume. It
// admits the roles of the functions by their ARNs in conditions, not as principals: IAM
// accepts no principal that does not exist yet, and trusts a role that was deleted and made
// again under its name no more. Both conditions are checked, so a hub that leaves the
// organisation has lost its way in.
// Source: IAM User Guide, "AWS JSON policy elements: Principal" and "AWS global condition
// context keys", aws:PrincipalArn, which is the ARN of the role for a session of it, and
// aws:PrincipalOrgID, documented.
//
// A session may have relight's tags and no others, and the one that says which function
// acts may name the function of the delivery role only if that function's role asks. The
// external ID is demanded of the session, not of its tags, as in AWS's own example.
// Source: IAM User Guide, "Pass session tags in AWS STS", documented. A source identity
// is not admitted: the session's name and tags say the same, and it would have to be
// allowed in every role that a session assumes later.
func (b Baseline) spokeTrust(partition string) map[string]any {
	hub := "arn:" + partition + ":iam::" + b.Organization.Hub + ":"
	var functions []any
	for _, f := range b.Hubs() {
		functions = append(functions, hub+"role/"+b.FunctionRole(f))
	}
	delivery := Function(DeliveryRoles)
	tag := "aws:RequestTag/" + SessionFunction
	keys := map[string]any{"aws:TagKeys": []any{SessionFunction, SessionRun}}
	member := map[string]any{"aws:PrincipalOrgID": b.Organization.ID}
	asked := maps.Clone(member)
	if id := b.Organization.ExternalID; id != "" {
		asked["sts:ExternalId"] = id
	}
	admit := func(action string, when map[string]any) map[string]any {
		return map[string]any{"Effect": "Allow", "Action": action, "Principal": map[string]any{"AWS": hub + "root"}, "Condition": when}
	}
	statements := []any{
		admit("sts:AssumeRole", map[string]any{"ArnEquals": map[string]any{"aws:PrincipalArn": functions}, "StringEquals": asked}),
		admit("sts:TagSession", map[string]any{
			"ForAllValues:StringEquals": keys, "StringEquals": member, "StringNotEquals": map[string]any{tag: string(delivery)},
		}),
	}
	if slices.Contains(b.Hubs(), delivery) {
		statements = append(statements, admit("sts:TagSession", map[string]any{
			"ForAllValues:StringEquals": keys, "StringEquals": member, "ArnEquals": map[string]any{"aws:PrincipalArn": hub + "role/" + b.FunctionRole(delivery)},
		}))
	}
	return PolicyDocument(statements...)
}

// SpokeValues returns the values of the placeholders in grants for a guarded account. The
// key of the topic, whose ID AWS makes up, is none of them.
func (b Baseline) SpokeValues(partition, account, home string) map[string]string {
	own := func(arn string) string { return b.Organization.OwnARN(arn, account) }
	role := "arn:" + partition + ":iam::" + account + ":role/"
	values := map[string]string{
		InPartition:     partition,
		InAccount:       account,
		InRegion:        home,
		InPrefix:        b.Prefix,
		InTrailLogGroup: cmp.Or(b.LogGroup.Name, "*"),
		InTrailRole:     cmp.Or(own(b.Trail.RoleARN), role+"*"),
		InFlowLogGroup:  b.FlowLogs.LogGroup,
		InDeliveryRole:  role + b.Name(SpokeDelivery),
		InDeliveryName:  b.Name(SpokeDelivery),
		InSpokeRole:     b.Organization.Role,
		InTopic:         "arn:" + partition + ":sns:" + home + ":" + account + ":" + b.Name(SpokeAlarms),
	}
	for _, placeholder := range []string{InFlowLogBuckets, InFlowLogStreams, InFlowLogRoles} {
		var arns []string
		for _, arn := range b.FlowLogResources(placeholder) {
			arns = append(arns, own(arn))
		}
		values[placeholder] = strings.Join(arns, "\n")
	}
	return values
}

// PolicyDocument returns a policy document.
func PolicyDocument(statements ...any) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": statements}
}

// Statements returns grants as the statements of a policy document, with placeholders
// replaced. A value of several lines makes several resources.
func Statements(grants []Grant, values map[string]string) []any {
	var out []any
	for _, g := range Merged(grants) {
		var actions, resources []any
		for _, a := range g.Actions {
			actions = append(actions, a)
		}
		for _, r := range g.Resources {
			for one := range strings.SplitSeq(Expand(r, values), "\n") {
				resources = append(resources, one)
			}
		}
		st := map[string]any{"Effect": "Allow", "Action": actions, "Resource": resources}
		if g.Condition != nil {
			st["Condition"] = Conditions(g.Condition, values)
		}
		out = append(out, st)
	}
	return out
}

// Conditions returns the conditions of a grant as in a policy document, with placeholders
// replaced.
func Conditions(of map[string]map[string]string, values map[string]string) map[string]any {
	out := map[string]any{}
	for operator, keys := range ExpandConditions(of, values) {
		in := map[string]any{}
		for key, value := range keys {
			in[key] = value
		}
		out[operator] = in
	}
	return out
}
