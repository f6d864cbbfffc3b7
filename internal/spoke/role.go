package spoke

import (
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
	of := t.SpokeRoleWith(partition, account, t.home, every, owner)
	policy := func(name string, document object) object {
		return object{"PolicyName": name, "PolicyDocument": t.filled(document)}
	}
	t.add(roleID, "AWS::IAM::Role", atHome, t.bounded(object{
		"RoleName":                 of.Name,
		"Description":              of.Description,
		"AssumeRolePolicyDocument": t.filled(of.Trust),
		"Policies": []any{
			policy(catalog.SpokePolicy, of.Policies[catalog.SpokePolicy]),
			either(ownsTrail, policy(catalog.OwnerPolicy, of.Owner[catalog.OwnerPolicy]), ref("AWS::NoValue")),
		},
		"Tags": t.tags(),
	}))
}

// filled returns a value of a policy with what its texts refer to replaced by
// CloudFormation. The key of the topic is the one that the stack makes or finds.
func (t template) filled(v any) any {
	switch v := v.(type) {
	case string:
		if v == catalog.InKey {
			return t.topicKey()
		}
		return sub(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = t.filled(e)
		}
		return out
	case object:
		out := object{}
		for k, e := range v {
			out[k] = t.filled(e)
		}
		return out
	}
	return v
}

// document returns a policy document.
func document(statements ...any) object { return catalog.PolicyDocument(statements...) }

// statements converts grants to statements for the guarded account.
func (t template) statements(grants []catalog.Grant) []any {
	return t.filled(catalog.Statements(grants, t.values())).([]any)
}

// when returns the conditions of a grant.
func (t template) when(of map[string]map[string]string) any {
	return t.filled(catalog.Conditions(of, t.values()))
}

// values returns the values of the placeholders in the catalog's grants, as texts of
// Fn::Sub. The key of the topic is none of them.
func (t template) values() map[string]string { return t.SpokeValues(partition, account, t.home) }

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
