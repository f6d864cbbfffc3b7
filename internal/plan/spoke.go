package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/iampolicy"
)

// A SpokeRoleState is a role of a guarded account as it was observed.
type SpokeRoleState struct {
	ARN         string
	Description string
	Trust       string // policy document
	Boundary    string // ARN; "" for none
	New         bool   // CloudFormation may still be creating the rest of its stack
	Inline      map[string]string
	Attached    []string // ARNs of managed policies
	Whole       bool     // its policies were read
}

// A SpokeRole is what a role of a guarded account has to be.
type SpokeRole struct {
	catalog.RoleSpec
	ARN      string
	Boundary string // ARN; "" for none
	Region   string // of the stack that has it
	Use      string // what it is for
}

// SpokeRoles returns what the roles of a guarded account have to be that relight cannot
// restore, by name: the one that the functions of the hub assume, and one for the rules of
// each region.
func SpokeRoles(want catalog.Desired) map[string]SpokeRole {
	roles := map[string]SpokeRole{}
	in, home := arnOf(want.Role).Partition, want.HomeRegion
	add := func(of catalog.RoleSpec, region, use string) {
		roles[of.Name] = SpokeRole{of, want.ARNIn("", "iam", "role/"+of.Name), want.Boundary, region, use}
	}
	add(want.SpokeRoleOf(in, want.Account, home, want.MemberKeys...), home, "the functions of the hub restore with it")
	for _, region := range want.SpokeRegions(home) {
		add(want.ForwardRoleOf(in, want.Account, home, region), region, "the rules of "+region+" send events to the hub with it")
	}
	return roles
}

// SpokeRoleDrift returns how a role differs from what the template says, given whether its
// account owns a trail, or "".
func SpokeRoleDrift(want SpokeRole, got SpokeRoleState, owner bool) string {
	var drift []string
	differs := func(format string, values ...any) { drift = append(drift, fmt.Sprintf(format, values...)) }
	if got.ARN != want.ARN {
		differs("it is %s", got.ARN)
	}
	if !want.describes(got.Description, owner) {
		differs("its description is not that of this version of the template")
	}
	if !iampolicy.Same(text(want.Trust), got.Trust) {
		differs("its trust policy was changed")
	}
	if got.Boundary != want.Boundary {
		differs("its permissions boundary is %s, not %s", orNone(got.Boundary), orNone(want.Boundary))
	}
	if !got.Whole {
		return strings.Join(drift, ", ")
	}
	policies := maps.Clone(want.Policies)
	if owner {
		maps.Copy(policies, want.Owner)
	}
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		switch document, exists := got.Inline[name]; {
		case !exists:
			differs("it lacks the policy %s", name)
		case !sameButKey(text(policies[name]), document, want.ARN, want.Region):
			differs("its policy %s was changed", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got.Inline)) {
		if policies[name] == nil {
			differs("it has the policy %.128q", name)
		}
	}
	for _, arn := range slices.Sorted(slices.Values(got.Attached)) {
		differs("it has the managed policy %s", arn)
	}
	return strings.Join(drift, ", ")
}

// sameButKey reports whether a document is the one that is wanted, with some key of the
// account's in place of the key of the topic, whose ID follows from nothing.
func sameButKey(want, got, role, region string) bool {
	if !strings.Contains(want, catalog.InKey) {
		return iampolicy.Same(want, got)
	}
	at := arnOf(role)
	before := "arn:" + at.Partition + ":kms:" + region + ":" + at.AccountID + ":key/"
	for rest := got; ; {
		_, after, found := strings.Cut(rest, before)
		if !found {
			return false
		}
		id, _, _ := strings.Cut(after, `"`)
		if !strings.ContainsAny(id, `*?\`) && iampolicy.Same(strings.ReplaceAll(want, catalog.InKey, before+id), got) {
			return true
		}
		rest = after
	}
}

// describes reports whether the description of a role is that of a stack with the rules that
// are wanted, given whether its account owns a trail. The rules for a trail are beside those
// of every account.
func (r SpokeRole) describes(description string, owner bool) bool {
	if owner && r.OfOwner != "" {
		return description == r.OfOwner
	}
	return description == r.Description || r.OfOwner != "" && description == r.OfOwner
}

// ownsTrail reports whether a guarded account has what only the stack of one that owns a
// trail has. If somebody removes every trace of that, the kinds of the trail lack their
// permissions there, and their runs say so.
func (state *GuardState) ownsTrail(want catalog.Desired, region string) bool {
	if role := state.SpokeRoles[want.Organization.Role]; role != nil {
		if _, has := role.Inline[catalog.OwnerPolicy]; has {
			return true
		}
	}
	forward := want.ForwardRole(region)
	if role := state.SpokeRoles[forward]; role != nil && region == want.HomeRegion && role.Description == SpokeRoles(want)[forward].OfOwner {
		return true
	}
	ordinary := map[string]string{}
	for _, r := range want.SpokeRules(want.HomeRegion, region, false) {
		ordinary[r.Name] = r.Pattern.String()
	}
	return slices.ContainsFunc(want.SpokeRules(want.HomeRegion, region, true), func(r catalog.Rule) bool {
		seen, pattern := state.Rules[KeyOf(r)], r.Pattern.String()
		return seen != nil && (ordinary[r.Name] == "" || ordinary[r.Name] != pattern && sameJSON(pattern, seen.Pattern))
	})
}

// spoke plans what a guarded account has of relight's in a region, as far as it was looked
// at. relight may write no role there, and creates no queue, as at home:
//
//	neither the role of the rules nor the queue  a finding, and nothing else: there is no stack
//	a rule is off or changed                     put
//	a rule is gone                               put, if the stack is known to have it, or a finding
//	a rule's target is gone or changed           put
//	the role of the rules is gone                a finding, and no rule is put: none could send
//	the queue is gone                            a finding
//	the queue's settings or policy differ        set
//	events are in the queue                      a finding
//	a role is not as the template says           a finding
//	the stack is new                             what is not there yet is no drift
func (state *GuardState) spoke(want catalog.Desired, got Observed) Plan {
	var p Plan
	p.touch(got, got.Type, state.Named...)
	if state.Elsewhere != "" {
		p.Skips = append(p.Skips, Skip{"what the account has of relight's", state.Elsewhere})
		return p
	}
	p.Add(state.Unread...)
	roles := SpokeRoles(want)
	owner := got.Region == want.HomeRegion && state.ownsTrail(want, got.Region)
	forward := want.ForwardRole(got.Region)
	sender, looked := state.SpokeRoles[forward]
	queues := want.Parts(want.HomeRegion, got.Region).Queues
	queue, listed := state.Queues[queues[0].Name]
	if looked && sender == nil && listed && queue == nil {
		p.find(SpokeForwarderGone, Args{"account": want.Account, "region": got.Region})
	} else {
		state.spokeRules(&p, want, got, owner)
		state.spokeQueues(&p, want, queues, sender != nil && sender.New)
	}
	for name, role := range state.SpokeRoles {
		spec := roles[name]
		switch {
		case role == nil && name == forward && listed && queue == nil: // the finding above says so
		case role == nil:
			p.find(SpokeRoleGone, Args{"account": want.Account, "region": spec.Region, "role": name, "use": spec.Use})
		default:
			if drift := SpokeRoleDrift(spec, *role, owner); drift != "" {
				p.find(SpokeRoleChanged, Args{"account": want.Account, "region": spec.Region, "role": name, "use": spec.Use, "changed": drift})
			} else if role.Whole {
				p.Healthy++
			}
		}
	}
	return p
}

// spokeRules plans the rules of a guarded account's region.
func (state *GuardState) spokeRules(p *Plan, want catalog.Desired, got Observed, owner bool) {
	forward := want.ForwardRole(got.Region)
	sender, looked := state.SpokeRoles[forward]
	var gone []string
	for _, r := range want.SpokeRules(want.HomeRegion, got.Region, owner) {
		key := KeyOf(r)
		seen, listed := state.Rules[key]
		if !listed {
			continue
		}
		p.touch(got, catalog.EventRule, r.Name)
		target := WantedTarget(want, r)
		drift, wrong := RuleDrift(r, seen), TargetDrift(target, seen)
		switch {
		case drift+wrong == "":
			p.Healthy++
			continue
		case looked && sender == nil:
			continue
		case seen == nil && looked && sender.New:
			p.Skips = append(p.Skips, Skip{"rule " + r.Name, "CloudFormation may still be creating it"})
			continue
		case seen == nil && (!looked || !SpokeRoles(want)[forward].describes(sender.Description, owner)):
			gone = append(gone, r.Name)
			continue
		}
		if drift != "" {
			p.Actions = append(p.Actions, PutRule{Rule: r, Reason: drift})
		}
		if wrong != "" {
			p.Actions = append(p.Actions, PutRuleTarget{Rule: key, Target: target, Reason: wrong})
		}
	}
	if gone != nil {
		p.find(SpokeRulesGone, Args{"account": want.Account, "region": got.Region, "rules": strings.Join(gone, ", "), "role": forward})
	}
}

// spokeQueues plans the queue of a guarded account's region. That of a new stack may not be
// there yet.
func (state *GuardState) spokeQueues(p *Plan, want catalog.Desired, queues []catalog.Queue, created bool) {
	for _, q := range queues {
		seen, looked := state.Queues[q.Name]
		switch {
		case !looked, seen == nil && created:
		case seen == nil:
			p.find(SpokeQueueGone, Args{"account": want.Account, "region": q.Forwarder, "queue": q.Name})
		default:
			p.queue(want, q, *seen)
			if n, _ := strconv.Atoi(seen.Attributes[waiting]); n > 0 {
				p.find(SpokeUndelivered, Args{"account": want.Account, "region": q.Forwarder, "queue": q.Name, "count": strconv.Itoa(n)})
			}
		}
	}
}

// waiting is the attribute of a queue that says how many messages can be received from it,
// about. Source: Amazon SQS API Reference, GetQueueAttributes, documented.
const waiting = "ApproximateNumberOfMessages"
