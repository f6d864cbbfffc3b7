package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/iampolicy"
	"github.com/relight-aws/relight/internal/order"
)

// DeliveryRoleState is what was observed of the role with which relight's
// flow logs deliver.
type DeliveryRoleState struct {
	Elsewhere string // why there is nothing to plan here; "" if there is
	Exists    bool
	ARN       string // of the role with that name: its path may be another one, see ElsewhereThan
	Trust     string // policy document
	Boundary  string // ARN; "" for none
	Bounds    string // document of the boundary, if it is the desired one
	Tags      map[string]string
	Inline    map[string]string // inline policies: name to document
	Attached  map[string]string // managed policies: ARN to document of the version in force
	At        string            // when it was read: 2026-01-02T03:04:05, in UTC; "" if unknown
}

// Kind returns the kind that the state is of.
func (*DeliveryRoleState) Kind() catalog.Kind { return catalog.DeliveryRoles }

// ElsewhereThan returns the ARN of the observed role if it is not the one with
// that ARN but only has its name, or "". Names of roles are unique in an account
// whatever their paths are. Source: IAM API Reference, CreateRole, RoleName and
// Path. Nothing else is observed of such a role.
func (state *DeliveryRoleState) ElsewhereThan(arn string) string {
	if !state.Exists || state.ARN == arn {
		return ""
	}
	return state.ARN
}

// A DeliveryRoleSpec is what the role with which relight's flow logs deliver
// has to be. The stack creates it from the same data.
type DeliveryRoleSpec struct {
	ARN         string // "" if nothing is deployed
	Path        string // "/" for none
	Name        string
	Description string
	Trust       string          // policy document
	Policy      string          // document of DeliveryPolicy
	Grants      []catalog.Grant // what Policy allows, placeholders filled in
	Boundary    string          // ARN of its permissions boundary; "" for none
	Tags        map[string]string
}

// DeliveryRoleOf returns what the delivery role has to be.
func DeliveryRoleOf(want catalog.Desired) DeliveryRoleSpec {
	at := arnOf(want.DeliveryRole)
	if at.Resource == "" {
		return DeliveryRoleSpec{}
	}
	values := map[string]string{catalog.InPartition: at.Partition, catalog.InAccount: at.AccountID, catalog.InFlowLogGroup: want.FlowLogs.LogGroup}
	path := strings.TrimPrefix(at.Resource, "role") // role/path/name
	cut := strings.LastIndex(path, "/") + 1
	role := DeliveryRoleSpec{
		ARN: want.DeliveryRole, Path: path[:cut], Name: path[cut:],
		Description: catalog.DeliveryDescription(want.FlowLogs.LogGroup),
		Boundary:    want.Boundary, Tags: want.Tags,
	}
	role.Trust = iampolicy.New(iampolicy.NewStatement(map[string]any{
		"Effect": iampolicy.Allow, "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": catalog.FlowLogService},
		"Condition": catalog.ExpandConditions(catalog.DeliveryTrust(), values),
	})).String()
	var policy iampolicy.Document
	for _, g := range catalog.DeliveryGrants() {
		filled := catalog.Grant{Actions: g.Actions}
		for _, r := range g.Resources {
			filled.Resources = append(filled.Resources, catalog.Expand(r, values))
		}
		role.Grants = append(role.Grants, filled)
		policy.Statements = append(policy.Statements, iampolicy.NewStatement(map[string]any{
			"Effect": iampolicy.Allow, "Action": filled.Actions, "Resource": filled.Resources,
		}))
	}
	role.Policy = policy.String()
	return role
}

// Named reports whether a name is the role's. IAM does not distinguish names by
// case. Source: IAM User Guide, "IAM and AWS STS quotas", IAM name requirements.
func (r DeliveryRoleSpec) Named(name string) bool { return strings.EqualFold(name, r.Name) }

// CreateDeliveryRole creates the delivery role, under the name it had.
type CreateDeliveryRole struct {
	Role   DeliveryRoleSpec
	Reason string
}

// Step returns the action as a step of a plan.
func (a CreateDeliveryRole) Step() Step {
	return Step{Thing: "role", Stage: create, Do: "create role " + a.Role.Name, Target: a.Role.Name, Reason: a.Reason, Makes: a.Role.Name}
}

// SetRoleBoundary sets the permissions boundary of a role, or removes it.
type SetRoleBoundary struct {
	Role   string
	Policy string // ARN; "" for none
	Reason string
}

// Step returns the action as a step of a plan.
func (a SetRoleBoundary) Step() Step {
	do := fmt.Sprintf("set permissions boundary of role %s to %s", a.Role, a.Policy)
	if a.Policy == "" {
		do = "remove permissions boundary of role " + a.Role
	}
	return Step{Thing: "permissions boundary of role", Stage: create, Do: do, Target: a.Role, Reason: a.Reason}
}

// PutRolePolicy puts an inline policy on a role.
type PutRolePolicy struct {
	Role     string
	Name     string
	Document string
	MakeRoom []string // inline policies to delete, in this order, for as long as IAM has no room for the policy
	Reason   string
}

// Step returns the action as a step of a plan.
func (a PutRolePolicy) Step() Step {
	return Step{Thing: "role policy", Stage: configure, Do: fmt.Sprintf("put policy %s on role %s", a.Name, a.Role), Target: a.Name, Reason: a.Reason, Needs: a.Role}
}

// SetRoleTrust says who may assume a role.
type SetRoleTrust struct {
	Role     string
	Document string
	Reason   string
}

// Step returns the action as a step of a plan.
func (a SetRoleTrust) Step() Step {
	return Step{Thing: "trust policy of role", Stage: configure, Do: "set trust policy of role " + a.Role, Target: a.Role, Reason: a.Reason}
}

// TagRole puts tags on a role.
type TagRole struct {
	Role   string
	Tags   map[string]string
	Reason string
}

// Step returns the action as a step of a plan.
func (a TagRole) Step() Step {
	return Step{Thing: "tags of role", Stage: configure, Do: "tag role " + a.Role, Target: a.Role, Reason: a.Reason}
}

// RemoveRolePolicy deletes an inline policy of a role.
type RemoveRolePolicy struct {
	Role   string
	Name   string
	Reason string
}

// Step returns the action as a step of a plan.
func (a RemoveRolePolicy) Step() Step {
	return Step{Stage: protect, Do: fmt.Sprintf("delete policy %s of role %s", a.Name, a.Role), Target: a.Name, Reason: a.Reason}
}

// DetachRolePolicy detaches a managed policy from a role. The policy itself
// stays.
type DetachRolePolicy struct {
	Role   string
	Policy string // ARN
	Reason string
}

// Step returns the action as a step of a plan.
func (a DetachRolePolicy) Step() Step {
	return Step{Stage: protect, Do: fmt.Sprintf("detach %s from role %s", a.Policy, a.Role), Target: a.Policy, Reason: a.Reason}
}

// plan plans the role with which relight's flow logs deliver:
//
//	nothing deployed, or another role       skipped
//	a role at another path has its name     a finding: relight cannot create it, and leaves the other one
//	it does not exist                       created under its name, with its policy
//	its trust policy was changed            restored
//	its own policy is missing or changed    restored
//	its boundary is not the desired one     set to the configured one, or removed
//	it lacks a tag of relight's             the tag is restored; other tags stay
//	another policy unconditionally denies   removed from the role, last: relight created, named
//	 log delivery                           and tagged the role for nothing but delivery
//	another policy denies log delivery      a finding: the condition cannot be judged here, and the
//	 on a condition                         policy may be an administrator's; the policy of IAM's
//	                                        "Revoke active sessions" is no finding
//	another policy cannot be read           removed from the role, as if it denied
//	other inline policies leave no room     removed once IAM refuses its own, the largest first, as many
//	 for its own, which is not there         as needed: the role is for nothing but delivery
//	any other policy                        left as it is
//	its boundary does not allow delivery    a finding: others own the boundary's policy
func (state *DeliveryRoleState) plan(want catalog.Desired, got Observed) Plan {
	var p Plan
	role := DeliveryRoleOf(want)
	if state.Elsewhere != "" {
		p.Skips = append(p.Skips, Skip{"delivery role", state.Elsewhere})
		return p
	}
	p.Touched = touchedRole(role, state, got)
	if namesake := state.ElsewhereThan(role.ARN); namesake != "" {
		p.find(DeliveryRoleElsewhere, Args{"role": role.ARN, "namesake": namesake, "name": roleName(namesake)})
		return p
	}
	put := func(reason string) {
		others, crowd := crowding(role, state)
		if len(crowd) > 0 {
			reason += "; if IAM has no room for it, relight deletes " + strings.Join(crowd, ", ")
		}
		p.Actions = append(p.Actions, PutRolePolicy{Role: role.Name, Name: catalog.DeliveryPolicy, Document: role.Policy, MakeRoom: others, Reason: reason})
	}
	if !state.Exists {
		p.Actions = append(p.Actions, CreateDeliveryRole{Role: role, Reason: "it does not exist, so flow logs cannot deliver"})
		put("the role is new")
		return p
	}
	if state.Boundary != role.Boundary {
		reason := "no boundary is configured"
		if role.Boundary != "" {
			reason = "its boundary is " + orNone(state.Boundary)
		}
		p.Actions = append(p.Actions, SetRoleBoundary{Role: role.Name, Policy: role.Boundary, Reason: reason})
	}
	if !iampolicy.Same(state.Trust, role.Trust) {
		p.Actions = append(p.Actions, SetRoleTrust{Role: role.Name, Document: role.Trust, Reason: "its trust policy was changed"})
	}
	switch document, exists := state.Inline[catalog.DeliveryPolicy]; {
	case !exists:
		put("it is missing, so flow logs may not deliver")
	case !iampolicy.Same(document, role.Policy):
		put("it was changed")
	}
	if lacking := lackingTags(role.Tags, state.Tags); len(lacking) > 0 {
		reason := "it lacks " + strings.Join(slices.Sorted(maps.Keys(lacking)), ", ")
		p.Actions = append(p.Actions, TagRole{Role: role.Name, Tags: lacking, Reason: reason})
	}
	for name, document := range state.Inline {
		switch always, perhaps := denies(document, role.Grants, state.At); {
		case name == catalog.DeliveryPolicy:
		case always != "":
			p.Actions = append(p.Actions, RemoveRolePolicy{Role: role.Name, Name: name, Reason: always})
		case perhaps != "":
			p.find(PolicyConditional, Args{"policy": name, "role": role.Name, "denial": perhaps})
		}
	}
	for arn, document := range state.Attached {
		switch always, perhaps := denies(document, role.Grants, state.At); {
		case always != "":
			p.Actions = append(p.Actions, DetachRolePolicy{Role: role.Name, Policy: arn, Reason: always})
		case perhaps != "":
			p.find(PolicyConditional, Args{"policy": arn, "role": role.Name, "denial": perhaps})
		}
	}
	if denial := unbounded(role, state); denial != "" {
		p.find(BoundaryDenies, Args{"boundary": role.Boundary, "denial": denial, "policy": catalog.DeliveryPolicy, "role": role.Name})
	}
	if len(p.Actions)+len(p.Findings) == 0 {
		p.Healthy++
	}
	return p
}

// crowding returns the other inline policies in the order in which they make room for
// the role's own: first those that deny, which go in any case, then the largest. It
// also returns those that have to, by IAM's limit.
func crowding(role DeliveryRoleSpec, state *DeliveryRoleState) (others, crowd []string) {
	left := catalog.InlinePolicyChars - policySize(role.Policy)
	for name, document := range state.Inline {
		if name != catalog.DeliveryPolicy {
			others = append(others, name)
			left -= policySize(document)
		}
	}
	goes := func(name string) int { // 0 for those that go in any case
		if always, _ := denies(state.Inline[name], role.Grants, state.At); always != "" {
			return 0
		}
		return 1
	}
	order.By(others, func(a, b string) int {
		return cmp.Or(goes(a)-goes(b), policySize(state.Inline[b])-policySize(state.Inline[a]), cmp.Compare(a, b))
	})
	for _, name := range others {
		if left >= 0 {
			break
		}
		crowd = append(crowd, name)
		left += policySize(state.Inline[name])
	}
	return others, crowd
}

// policySize returns how many characters of a policy count. White space between the
// parts of the document does not. Source: IAM User Guide, "IAM and AWS STS quotas".
func policySize(document string) int {
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(document)) != nil {
		return utf8.RuneCountInString(document)
	}
	return utf8.RuneCount(compact.Bytes())
}

// touchedRole returns which of the names asked about are the role or a policy
// that it depends on.
func touchedRole(role DeliveryRoleSpec, state *DeliveryRoleState, got Observed) []string {
	var touched []string
	for _, name := range got.Asked {
		_, attached := state.Attached[name]
		if got.Type == catalog.Role && role.Named(name) || got.Type == catalog.IAMPolicy && (attached || name == role.Boundary) {
			touched = append(touched, name)
		}
	}
	return touched
}

// unbounded returns how the configured boundary keeps the role from delivering,
// or "".
func unbounded(role DeliveryRoleSpec, state *DeliveryRoleState) string {
	if role.Boundary == "" || state.Boundary != role.Boundary {
		return ""
	}
	if always, perhaps := denies(state.Bounds, role.Grants, state.At); always+perhaps != "" {
		return cmp.Or(always, perhaps)
	}
	return notAllowed(state.Bounds, role.Grants)
}

// roleTrouble returns the first reason why a role that exists cannot deliver, in
// the order in which to check them, or "".
func roleTrouble(role DeliveryRoleSpec, state DeliveryRoleState) string {
	policy, exists := state.Inline[catalog.DeliveryPolicy]
	switch {
	case !iampolicy.Same(state.Trust, role.Trust):
		return "its role " + role.Name + " has a changed trust policy"
	case !exists:
		return "its role " + role.Name + " lacks the policy " + catalog.DeliveryPolicy
	case !iampolicy.Same(policy, role.Policy):
		return "the policy " + catalog.DeliveryPolicy + " of its role " + role.Name + " was changed"
	case state.Boundary != role.Boundary:
		return "its role " + role.Name + " has the permissions boundary " + orNone(state.Boundary) + ", not " + orNone(role.Boundary)
	}
	for _, policies := range []map[string]string{state.Inline, state.Attached} {
		for _, name := range slices.Sorted(maps.Keys(policies)) {
			if always, _ := denies(policies[name], role.Grants, state.At); always != "" {
				return "the policy " + name + " of its role: " + always
			}
		}
	}
	if why := unbounded(role, &state); why != "" {
		return "the permissions boundary of its role: " + why
	}
	return ""
}

// roleDoubt returns a policy of a role that denies delivery on a condition, and
// what it denies, or "": whether the condition applies is not known.
func roleDoubt(role DeliveryRoleSpec, state DeliveryRoleState) (policy, denial string) {
	for _, policies := range []map[string]string{state.Inline, state.Attached} {
		for _, name := range slices.Sorted(maps.Keys(policies)) {
			if _, perhaps := denies(policies[name], role.Grants, state.At); perhaps != "" {
				return name, perhaps
			}
		}
	}
	return "", ""
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// lackingTags returns the desired tags that are missing or have another value.
func lackingTags(want, got map[string]string) map[string]string {
	lacking := map[string]string{}
	for k, v := range want {
		if have, exists := got[k]; !exists || have != v {
			lacking[k] = v
		}
	}
	return lacking
}
