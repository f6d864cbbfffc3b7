package awsio

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// newStack is for how long after the role of its rules CloudFormation may still be creating
// the rest of the stack of a guarded account.
const newStack = 10 * time.Minute

// observeSpoke reads what a guarded account has of relight's in the region: the rules that
// send events to the hub, their role and their queue, and in the home region the role that
// the functions of the hub assume. It asks for no stack, whose name may be any. An event
// about something that is not relight's costs no read.
func (r *region) observeSpoke(ctx context.Context, s remedy.Scope) (*plan.GuardState, error) {
	names := s.Names.List()
	state := &plan.GuardState{Deaf: true} // all targets are read: an event about one takes the way that may be cut
	parts := r.parts()
	rules := func(chosen func(catalog.Rule) bool) spokePart {
		return spokePart{"rules", func() error { return r.guardRules(ctx, state, parts.Rules, chosen) }}
	}
	queue := spokePart{"queue", func() error { return r.guardNamedQueues(ctx, state, nil) }}
	forward := r.Want.ForwardRole(r.name)
	switch s.Type {
	case catalog.EventRule:
		named := func(rule catalog.Rule) bool { return len(names) == 0 || slices.Contains(names, rule.Name) }
		if !slices.ContainsFunc(parts.Rules, named) {
			return &plan.GuardState{Elsewhere: "the event is about another rule"}, nil
		}
		state.Deaf = false
		return state, r.readSpoke(state, rules(named), r.spokeRole(ctx, state, forward, false))
	case catalog.SQSQueue:
		state, err := r.guardNamed(ctx, s.Type, names)
		if err != nil || state.Elsewhere != "" {
			return state, err
		}
		return state, r.readSpoke(state, spokePart{"queue", func() error { return r.guardNamedQueues(ctx, state, names) }})
	case catalog.Role:
		state, err := r.guardNamed(ctx, s.Type, names)
		if err != nil || state.Elsewhere != "" {
			return state, err
		}
		var reads []spokePart
		for name := range plan.SpokeRoles(r.Want) {
			if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
				reads = append(reads, r.spokeRole(ctx, state, name, true))
			}
		}
		if reads != nil {
			reads = append(reads, r.spokeRole(ctx, state, forward, false)) // it says whether the account owns a trail
		}
		return state, r.readSpoke(state, reads...)
	case catalog.IAMPolicy, catalog.Stack:
		return r.guardNamed(ctx, s.Type, names) // calls on these are only reported
	case "":
		reads := []spokePart{queue, r.spokeRole(ctx, state, forward, true)}
		if r.isHome() {
			reads = append(reads, r.spokeRole(ctx, state, r.Want.Organization.Role, true))
		}
		return state, r.readSpoke(state, append(reads, rules(func(catalog.Rule) bool { return true }))...)
	}
	return &plan.GuardState{Elsewhere: "a guarded account has no such part of relight's"}, nil
}

// A spokePart is a part of what a guarded account has, and how to read it.
type spokePart struct {
	name string
	read func() error
}

// readSpoke reads parts. What keeps relight from reading one does not keep it from reading
// the others: whoever narrows its role would otherwise stop every repair.
func (r *region) readSpoke(state *plan.GuardState, parts ...spokePart) error {
	for _, part := range parts {
		why, err := r.unreadPart(part.name, part.read())
		if err != nil {
			return err
		}
		state.Unread = append(state.Unread, why...)
	}
	return nil
}

// unreadPart returns a finding that a part of relight's cannot be read, if the error is
// permanent. That an account lets relight not in at all is no such error.
func (r *region) unreadPart(part string, err error) ([]plan.Finding, error) {
	if r.Want.Member == "" {
		return unread(plan.GuardUnread, plan.Args{"part": part}, err)
	}
	if _, _, shut := Closed(err); shut {
		return nil, err
	}
	return unread(plan.SpokeUnread, plan.Args{"part": part, "account": r.account, "region": r.name}, err)
}

// spokeRole reads a role of a guarded account, and with whole the policies on it.
func (r *region) spokeRole(ctx context.Context, state *plan.GuardState, name string, whole bool) spokePart {
	return spokePart{"role " + name, func() error {
		if state.SpokeRoles == nil {
			state.SpokeRoles = map[string]*plan.SpokeRoleState{}
		}
		if state.SpokeRoles[name] != nil {
			return nil
		}
		out, err := r.iam().GetRole(about(ctx, name), &iam.GetRoleInput{RoleName: aws.String(name)})
		if remedy.ClassOf(err) == remedy.Missing {
			state.SpokeRoles[name] = nil
			return nil
		}
		if err != nil {
			return err
		}
		seen := &plan.SpokeRoleState{
			ARN: aws.ToString(out.Role.Arn), Description: aws.ToString(out.Role.Description), Trust: decoded(out.Role.AssumeRolePolicyDocument), Whole: whole,
		}
		if b := out.Role.PermissionsBoundary; b != nil {
			seen.Boundary = aws.ToString(b.PermissionsBoundaryArn)
		}
		if made := out.Role.CreateDate; made != nil && r.Now != nil {
			seen.New = r.Now().Sub(*made) < newStack
		}
		if whole {
			err = atOnce(
				func() (err error) { seen.Inline, err = r.inlinePolicies(ctx, name); return err },
				func() (err error) { seen.Attached, err = r.attachedPolicies(ctx, name); return err },
			)
			if err != nil {
				seen.Whole, seen.Inline, seen.Attached = false, nil, nil
			}
		}
		state.SpokeRoles[name] = seen
		return err
	}}
}
