package spoke

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// roleID is the logical ID of the role that the functions of the hub assume.
const roleID = "Role"

// These stand for the account and partition of the stack in a text of Fn::Sub.
const (
	account   = "${AWS::AccountId}"
	partition = "${AWS::Partition}"
	region    = "${AWS::Region}"
)

// role adds the role that the functions of the hub assume. It has one policy for every
// account, and another one if the account owns a trail.
func (t template) role() {
	every, owner := catalog.SpokeGrants(t.config.GrantKeys(t.home)...)
	t.add(roleID, "AWS::IAM::Role", atHome, t.bounded(object{
		"RoleName":                 t.Organization.Role,
		"Description":              "The functions of relight in account " + t.Organization.Hub + " assume it",
		"AssumeRolePolicyDocument": t.trust(),
		"Policies": []any{
			object{"PolicyName": "grants", "PolicyDocument": document(t.statements(every)...)},
			either(ownsTrail, object{"PolicyName": "trail", "PolicyDocument": document(t.statements(owner)...)}, ref("AWS::NoValue")),
		},
		"Tags": t.tags(),
	}))
}

// trust returns the trust policy of that role. It admits the roles of the functions by
// their ARNs in conditions, not as principals: IAM accepts no principal that does not
// exist yet, and trusts a role that was deleted and made again under its name no more.
// Both conditions are checked, so a hub that leaves the organisation has lost its way in.
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
func (t template) trust() object {
	hub := "arn:" + partition + ":iam::" + t.Organization.Hub + ":"
	var functions []any
	for _, f := range t.Hubs() {
		functions = append(functions, sub(hub+"role/"+t.FunctionRole(f)))
	}
	delivery := catalog.Function(catalog.DeliveryRoles)
	tag := "aws:RequestTag/" + catalog.SessionFunction
	keys := object{"aws:TagKeys": []any{catalog.SessionFunction, catalog.SessionRun}}
	member := object{"aws:PrincipalOrgID": t.Organization.ID}
	asked := maps.Clone(member)
	if id := t.Organization.ExternalID; id != "" {
		asked["sts:ExternalId"] = id
	}
	admit := func(action string, when object) object {
		return object{"Effect": "Allow", "Action": action, "Principal": object{"AWS": sub(hub + "root")}, "Condition": when}
	}
	statements := []any{
		admit("sts:AssumeRole", object{"ArnEquals": object{"aws:PrincipalArn": functions}, "StringEquals": asked}),
		admit("sts:TagSession", object{
			"ForAllValues:StringEquals": keys, "StringEquals": member, "StringNotEquals": object{tag: string(delivery)},
		}),
	}
	if slices.Contains(t.Hubs(), delivery) {
		statements = append(statements, admit("sts:TagSession", object{
			"ForAllValues:StringEquals": keys, "StringEquals": member, "ArnEquals": object{"aws:PrincipalArn": sub(hub + "role/" + t.FunctionRole(delivery))},
		}))
	}
	return document(statements...)
}

// document returns a policy document.
func document(statements ...any) object {
	return object{"Version": "2012-10-17", "Statement": statements}
}

// statements converts grants to statements for the guarded account.
func (t template) statements(grants []catalog.Grant) []any {
	values := t.values()
	var out []any
	for _, g := range catalog.Merged(grants) {
		var resources []any
		for _, r := range g.Resources { // a value of several lines makes several resources
			if r == catalog.InKey {
				resources = append(resources, t.topicKey())
				continue
			}
			for one := range strings.SplitSeq(catalog.Expand(r, values), "\n") {
				resources = append(resources, sub(one))
			}
		}
		st := object{"Effect": "Allow", "Action": g.Actions, "Resource": resources}
		if g.Condition != nil {
			st["Condition"] = conditions(g, values)
		}
		out = append(out, st)
	}
	return out
}

// conditions returns the conditions of a grant.
func conditions(g catalog.Grant, values map[string]string) object {
	out := object{}
	for operator, keys := range catalog.ExpandConditions(g.Condition, values) {
		of := object{}
		for key, value := range keys {
			of[key] = sub(value)
		}
		out[operator] = of
	}
	return out
}

// values returns the values of the placeholders in the catalog's grants, as texts of
// Fn::Sub. The key of the topic is none of them.
func (t template) values() map[string]string {
	values := map[string]string{
		catalog.InPartition:     partition,
		catalog.InAccount:       account,
		catalog.InRegion:        t.home,
		catalog.InPrefix:        t.Prefix,
		catalog.InTrailLogGroup: cmp.Or(t.LogGroup.Name, "*"),
		catalog.InTrailRole:     cmp.Or(t.own(t.Trail.RoleARN), "arn:"+partition+":iam::"+account+":role/*"),
		catalog.InFlowLogGroup:  t.FlowLogs.LogGroup,
		catalog.InDeliveryRole:  "arn:" + partition + ":iam::" + account + ":role/" + t.Name(catalog.SpokeDelivery),
		catalog.InDeliveryName:  t.Name(catalog.SpokeDelivery),
		catalog.InSpokeRole:     t.Organization.Role,
		catalog.InTopic:         "arn:" + partition + ":sns:" + t.home + ":" + account + ":" + t.Name(catalog.SpokeAlarms),
	}
	for _, placeholder := range []string{catalog.InFlowLogBuckets, catalog.InFlowLogStreams, catalog.InFlowLogRoles} {
		var own []string
		for _, arn := range t.FlowLogResources(placeholder) {
			own = append(own, t.own(arn))
		}
		values[placeholder] = strings.Join(own, "\n")
	}
	return values
}

// own returns an ARN of the configuration for a guarded account: what is in the hub's
// account stands for what has the same name in each account.
func (t template) own(arn string) string { return t.Organization.OwnARN(arn, account) }

// bounded adds the configured permissions boundary to the properties of a role. The
// guarded account has a policy of the same name.
func (t template) bounded(role object) object {
	if t.Boundary != "" {
		role["PermissionsBoundary"] = sub(t.own(t.Boundary))
	}
	return role
}

// fits returns an error if a role's policies are longer than IAM accepts, with the longest
// values that what the template refers to can have.
func (t template) fits() error {
	role := t.resources[roleID].(object)["Properties"].(object)
	if n := t.length(role["AssumeRolePolicyDocument"]); n > TrustChars {
		return fmt.Errorf("the trust policy of role %s has %d characters, and IAM takes %d: use an organization.externalId with at least %d characters less", t.Organization.Role, n, TrustChars, n-TrustChars)
	}
	n := 0
	for _, p := range role["Policies"].([]any) {
		if choice, chosen := p.(object)["Fn::If"].([]any); chosen {
			p = choice[1]
		}
		n += t.length(p.(object)["PolicyDocument"])
	}
	if n > catalog.InlinePolicyChars {
		return fmt.Errorf("the policies of role %s have %d characters, and IAM takes %d: use a shorter prefix, or name fewer resources of flow logs", t.Organization.Role, n, catalog.InlinePolicyChars)
	}
	return nil
}

// length returns how many characters a policy document has for IAM.
func (t template) length(document any) int {
	in, _ := catalog.PartitionOf(t.home) // the configuration accepted it
	var resolve func(any) any
	resolve = func(v any) any {
		switch v := v.(type) {
		case []any:
			out := make([]any, len(v))
			for i, e := range v {
				out[i] = resolve(e)
			}
			return out
		case object:
			if s, is := v["Fn::Sub"].(string); is {
				return strings.NewReplacer(partition, in.ID, account, strings.Repeat("1", 12), region, t.home).Replace(s)
			}
			if v["Fn::If"] != nil { // the ARN of a key
				return "arn:" + in.ID + ":kms:" + t.home + ":" + strings.Repeat("1", 12) + ":key/" + strings.Repeat("1", 36)
			}
			out := object{}
			for k, e := range v {
				out[k] = resolve(e)
			}
			return out
		}
		return v
	}
	raw, err := json.Marshal(resolve(document))
	if err != nil { // texts, and lists and maps of them, always marshal
		panic(err)
	}
	return len(raw)
}

// sub returns a text, with what it refers to replaced by CloudFormation.
func sub(s string) any {
	if strings.Contains(s, "${") {
		return object{"Fn::Sub": s}
	}
	return s
}

// tags returns the tags of what relight makes.
func (t template) tags() []any {
	var tags []any
	for _, key := range slices.Sorted(maps.Keys(t.Tags)) {
		tags = append(tags, object{"Key": key, "Value": t.Tags[key]})
	}
	return tags
}

// add adds a resource, under a condition unless that is "".
func (t template) add(id, kind, condition string, properties object) object {
	r := object{"Type": kind, "Properties": properties}
	if condition != "" {
		r["Condition"] = condition
	}
	t.resources[id] = r
	return r
}

// keep has a resource outlive the stack: taking the guard away must not put the lights out.
func keep(r object) { r["DeletionPolicy"], r["UpdateReplacePolicy"] = "Retain", "Retain" }
