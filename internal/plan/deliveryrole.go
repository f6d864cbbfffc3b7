package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/iampolicy"
)

// DeliveryRoleState is what was observed of the role with which relight's
// flow logs deliver.
type DeliveryRoleState struct {
	Elsewhere string // why there is nothing to look at, where that is in order
	Exists    bool
	Trust     string // policy document
	Boundary  string // ARN; "" for none
	Bounds    string // document of the boundary, where it is the wanted one
	Tags      map[string]string
	Inline    map[string]string // inline policies: name to document
	Attached  map[string]string // managed policies: ARN to document of the version in force
	At        string            // when it was read: 2026-01-02T03:04:05, in UTC; "" where nobody knows
}

// Kind returns the kind that the state is of.
func (*DeliveryRoleState) Kind() catalog.Kind { return catalog.DeliveryRoles }

// A DeliveryRoleSpec is what the role with which relight's flow logs deliver
// has to be. The stack makes it from the same data.
type DeliveryRoleSpec struct {
	ARN         string // "" where nothing is deployed
	Path        string // "/" for none
	Name        string
	Description string
	Trust       string          // policy document
	Policy      string          // document of DeliveryPolicy
	Grants      []catalog.Grant // what Policy allows, placeholders filled in
	Boundary    string          // ARN of its permissions boundary; "" for none
	Tags        map[string]string
}

// DeliveryRoleOf returns what is wanted of the delivery role.
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

// CreateDeliveryRole creates the delivery role, under the name it had.
type CreateDeliveryRole struct {
	Role   DeliveryRoleSpec
	Reason string
}

// Step returns the action as a step of a plan.
func (a CreateDeliveryRole) Step() Step {
	return Step{Stage: create, Do: "create role " + a.Role.Name, Target: a.Role.Name, Reason: a.Reason, Makes: a.Role.Name}
}

// SetRoleBoundary gives a role its permissions boundary, or takes away one
// that is not wanted.
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
	return Step{Stage: create, Do: do, Target: a.Role, Reason: a.Reason}
}

// PutRolePolicy puts an inline policy on a role.
type PutRolePolicy struct {
	Role     string
	Name     string
	Document string
	Reason   string
}

// Step returns the action as a step of a plan.
func (a PutRolePolicy) Step() Step {
	return Step{Stage: configure, Do: fmt.Sprintf("put policy %s on role %s", a.Name, a.Role), Target: a.Name, Reason: a.Reason, Needs: a.Role}
}

// SetRoleTrust says who may assume a role.
type SetRoleTrust struct {
	Role     string
	Document string
	Reason   string
}

// Step returns the action as a step of a plan.
func (a SetRoleTrust) Step() Step {
	return Step{Stage: configure, Do: "set trust of role " + a.Role, Target: a.Role, Reason: a.Reason}
}

// TagRole puts tags on a role.
type TagRole struct {
	Role   string
	Tags   map[string]string
	Reason string
}

// Step returns the action as a step of a plan.
func (a TagRole) Step() Step {
	return Step{Stage: configure, Do: "tag role " + a.Role, Target: a.Role, Reason: a.Reason}
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

// DetachRolePolicy takes a managed policy off a role. The policy stays.
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
//	nothing deployed, another role   left alone, and said so
//	missing                          created under its name, with its policy
//	trusts otherwise than wanted     put back
//	its policy gone or changed       put back
//	another boundary than wanted     the configured one, or none
//	a tag of relight's is missing    put back; others stay
//	a further policy that denies     taken off, after the rest: it is relight's
//	what delivery needs              own role, made, named and tagged by it
//	other further policies           left alone
//	a further policy that denies     a finding: whether it hits delivery cannot be judged from here,
//	what delivery needs on a         and it may be an administrator's; older sessions revoked
//	condition                        (IAM's "Revoke active sessions") are not one
//	its boundary does not let it     a finding: the policy is somebody else's
func (state *DeliveryRoleState) plan(want catalog.Desired, got Observed) Plan {
	var p Plan
	role := DeliveryRoleOf(want)
	if state.Elsewhere != "" {
		p.Skips = append(p.Skips, Skip{"delivery role", state.Elsewhere})
		return p
	}
	p.Touched = touchedRole(role, state, got)
	put := func(reason string) {
		p.Actions = append(p.Actions, PutRolePolicy{Role: role.Name, Name: catalog.DeliveryPolicy, Document: role.Policy, Reason: reason})
	}
	if !state.Exists {
		p.Actions = append(p.Actions, CreateDeliveryRole{Role: role, Reason: "missing: flow logs cannot deliver"})
		put("of a new role")
		return p
	}
	if state.Boundary != role.Boundary {
		reason := "none is configured"
		if role.Boundary != "" {
			reason = "it is " + orNone(state.Boundary)
		}
		p.Actions = append(p.Actions, SetRoleBoundary{Role: role.Name, Policy: role.Boundary, Reason: reason})
	}
	if !iampolicy.Same(state.Trust, role.Trust) {
		p.Actions = append(p.Actions, SetRoleTrust{Role: role.Name, Document: role.Trust, Reason: "it trusts otherwise than wanted"})
	}
	switch document, exists := state.Inline[catalog.DeliveryPolicy]; {
	case !exists:
		put("missing: flow logs may not deliver")
	case !iampolicy.Same(document, role.Policy):
		put("it says otherwise than wanted")
	}
	if lacking := lackingTags(role.Tags, state.Tags); len(lacking) > 0 {
		reason := "lacks " + strings.Join(slices.Sorted(maps.Keys(lacking)), ", ")
		p.Actions = append(p.Actions, TagRole{Role: role.Name, Tags: lacking, Reason: reason})
	}
	for name, document := range state.Inline {
		switch always, perhaps := denies(document, role.Grants, state.At); {
		case name == catalog.DeliveryPolicy:
		case always != "":
			p.Actions = append(p.Actions, RemoveRolePolicy{Role: role.Name, Name: name, Reason: always})
		case perhaps != "":
			p.conditional(role, name, perhaps)
		}
	}
	for arn, document := range state.Attached {
		switch always, perhaps := denies(document, role.Grants, state.At); {
		case always != "":
			p.Actions = append(p.Actions, DetachRolePolicy{Role: role.Name, Policy: arn, Reason: always})
		case perhaps != "":
			p.conditional(role, arn, perhaps)
		}
	}
	if why := unbounded(role, state); why != "" {
		p.Findings = append(p.Findings, Finding{
			Subject: "permissions boundary " + role.Boundary, Problem: why, Alert: true,
			Remedy: "Let it allow what the delivery role's policy allows: see the policy " + catalog.DeliveryPolicy + " of role " + role.Name + ".",
		})
	}
	if len(p.Actions)+len(p.Findings) == 0 {
		p.Held++
	}
	return p
}

// conditional reports a policy of the role that denies on a condition.
func (p *Plan) conditional(role DeliveryRoleSpec, policy, problem string) {
	p.Findings = append(p.Findings, Finding{
		Subject: "policy " + policy + " of role " + role.Name, Problem: problem, Alert: true,
		Remedy: takeOff,
	})
}

const takeOff = "Find out who put it there and what for, and take it off the role unless it is meant: the role only delivers flow logs."

// touchedRole returns those of the names asked about that the role is, or
// leans on.
func touchedRole(role DeliveryRoleSpec, state *DeliveryRoleState, got Observed) []string {
	var touched []string
	for _, name := range got.Asked {
		_, attached := state.Attached[name]
		if got.Type == catalog.Role && name == role.Name || got.Type == catalog.IAMPolicy && (attached || name == role.Boundary) {
			touched = append(touched, name)
		}
	}
	return touched
}

// unbounded returns what keeps a boundary that is as configured from letting
// the role deliver, or "".
func unbounded(role DeliveryRoleSpec, state *DeliveryRoleState) string {
	if role.Boundary == "" || state.Boundary != role.Boundary {
		return ""
	}
	if always, perhaps := denies(state.Bounds, role.Grants, state.At); always+perhaps != "" {
		return cmp.Or(always, perhaps)
	}
	return notAllowed(state.Bounds, role.Grants)
}

// RoleTrouble returns the first thing that keeps a role from delivering, in
// the order in which to look, or "".
func RoleTrouble(role DeliveryRoleSpec, state DeliveryRoleState) string {
	policy, exists := state.Inline[catalog.DeliveryPolicy]
	switch {
	case !state.Exists:
		return "its role " + role.Name + " is missing"
	case !iampolicy.Same(state.Trust, role.Trust):
		return "its role " + role.Name + " trusts otherwise than wanted"
	case !exists:
		return "its role " + role.Name + " lacks the policy " + catalog.DeliveryPolicy
	case !iampolicy.Same(policy, role.Policy):
		return "the policy " + catalog.DeliveryPolicy + " of its role " + role.Name + " says otherwise than wanted"
	case state.Boundary != role.Boundary:
		return "its role " + role.Name + " has the permissions boundary " + orNone(state.Boundary) + ", want " + orNone(role.Boundary)
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

// roleDoubt returns a policy of a role that denies on a condition what
// delivery needs, which may be the cause or not, or "".
func roleDoubt(role DeliveryRoleSpec, state DeliveryRoleState) string {
	for _, policies := range []map[string]string{state.Inline, state.Attached} {
		for _, name := range slices.Sorted(maps.Keys(policies)) {
			if _, perhaps := denies(policies[name], role.Grants, state.At); perhaps != "" {
				return "the policy " + name + " of its role: " + perhaps
			}
		}
	}
	return ""
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// lackingTags returns the wanted tags that are missing or have another value.
func lackingTags(want, got map[string]string) map[string]string {
	lacking := map[string]string{}
	for k, v := range want {
		if have, exists := got[k]; !exists || have != v {
			lacking[k] = v
		}
	}
	return lacking
}
