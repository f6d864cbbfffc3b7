package catalog

import (
	"cmp"
	_ "embed" // for the text of the statements in a guarded account
	"maps"
	"reflect"
	"slices"
	"strings"
)

// These are the IDs in the names of what a guarded account has. Its role has another
// name if the configuration says so.
const (
	SpokeRole     = "spoke"    // the role that the functions of the hub assume
	SpokeDelivery = "delivery" // the role with which relight's flow logs deliver there
	SpokeAlarms   = "alarms"   // the topic of the alarms, if the account owns a trail, and the alias of its key
)

// These are the keys of the tags of a session in a guarded account. The trust policy of
// the role accepts no others.
const (
	SessionFunction = "relight-function" // the function that acts
	SessionRun      = "relight-run"      // the ID of its run
)

// FunctionRole returns the name of a function's role in the hub of an organisation, by
// which guarded accounts trust it.
func (b Baseline) FunctionRole(f Function) string { return b.FunctionName(f) }

// Hubs returns the functions of the hub that act in guarded accounts.
func (b Baseline) Hubs() []Function {
	return slices.DeleteFunc(b.Deployed(), func(f Function) bool { return f == Auditor })
}

// SpokeGrants returns the statements of the role in a guarded account, each once: those
// that every account needs, and those that only the account that owns the trail needs. It
// leaves out a statement that requires a configuration key if the key is not among keys.
// Every guarded account has forwarders.
//
// The role has the statements of all functions together, because one session serves one
// function and the roles in the hub say what that one may do there. Only the function of
// the delivery role may write that role, as in the hub: the statement demands the session
// tag that the trust policy lets no other function have. Source: IAM User Guide, "Pass
// session tags in AWS STS", documented.
func SpokeGrants(keys ...string) (every, owner []Grant) {
	return grantsOf(spokeRows(), keys)
}

// A spokeRow is a statement of the role in a guarded account.
type spokeRow struct {
	Grant
	owner bool // only the account that owns the trail needs it
}

// spokeRows returns every statement of that role, some more than once.
func spokeRows() (rows []spokeRow) {
	add := func(owner bool, from ...Grant) {
		for _, g := range from {
			if g.Hub == "" {
				rows = append(rows, spokeRow{g, owner})
			}
		}
	}
	add(false, trailList, trailReads) // they say who owns the trail
	for _, k := range Kinds() {
		add(k.OfOwner(), kindGrants()[k]...)
		for _, g := range ownGrants[k] {
			g.Condition = map[string]map[string]string{"StringEquals": {"aws:PrincipalTag/" + SessionFunction: string(k)}}
			add(k.OfOwner(), g)
		}
	}
	add(false, OnlyInSpokes()...)
	add(false, sweepGrants...)
	add(false, pauseGrant, checkGrant)
	add(false, reportGrants...)
	return rows
}

// grantsOf returns the statements of rows that require none but these configuration keys.
func grantsOf(rows []spokeRow, keys []string) (every, owner []Grant) {
	keys = append(slices.Clone(keys), KeyForwarders)
	for _, row := range rows {
		switch {
		case row.If != "" && !slices.Contains(keys, row.If):
		case row.owner:
			owner = append(owner, row.Grant)
		default:
			every = append(every, row.Grant)
		}
	}
	every = onlyWide(every)
	return every, onlyWide(owner, every...)
}

// spokeText has the statements of the role in a guarded account without their reasons. The
// functions compare the role with it: the tables of all statements would take more of their
// packages than these have to spare.
//
//go:embed spokegrants.txt
var spokeText string

// none stands in that text for no key and for no condition.
const none = "-"

// SpokeText returns what that text has to be.
func SpokeText() string {
	var out strings.Builder
	for _, row := range spokeRows() {
		when := none
		for operator, keys := range row.Condition { // one
			for key, value := range keys {
				when = strings.Join([]string{operator, key, value}, " ")
			}
		}
		whose := "every"
		if row.owner {
			whose = "owner"
		}
		out.WriteString(strings.Join([]string{whose, strings.Join(row.Actions, " "), strings.Join(row.Resources, " "), cmp.Or(row.If, none), when}, "\t") + "\n")
	}
	return out.String()
}

// spokeGrantsIn returns what SpokeGrants does, from that text.
func spokeGrantsIn(text string, keys ...string) (every, owner []Grant) {
	var rows []spokeRow
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		g := Grant{Actions: strings.Fields(cells[1]), Resources: strings.Fields(cells[2])}
		if cells[3] != none {
			g.If = cells[3]
		}
		if when := strings.Fields(cells[4]); cells[4] != none {
			g.Condition = map[string]map[string]string{when[0]: {when[1]: when[2]}}
		}
		rows = append(rows, spokeRow{g, cells[0] == "owner"})
	}
	return grantsOf(rows, keys)
}

// onlyWide returns the grants, without the topics of the hub, that no other one of them
// or of more allows.
func onlyWide(grants []Grant, more ...Grant) (out []Grant) {
	for _, g := range grants {
		g.Resources = slices.DeleteFunc(slices.Clone(g.Resources), func(r string) bool { return r == InLastResort })
		if !slices.ContainsFunc(slices.Concat(out, more), func(o Grant) bool { return reflect.DeepEqual(o.bare(), g.bare()) || g.within(o) }) {
			out = append(out, g)
		}
	}
	for i := 0; i < len(out); {
		if rest := slices.Delete(slices.Clone(out), i, i+1); slices.ContainsFunc(rest, out[i].within) {
			out = rest
			continue
		}
		i++
	}
	return out
}

// SpokeRules returns the rules that send the events of a guarded account's region to the
// hub: those of a forwarder, and in the home region of the account that owns the trail
// those of all kinds.
func (b Baseline) SpokeRules(home, region string, owner bool) []Rule {
	fast, global := region == home || slices.Contains(b.Regions, region), region == GlobalRegion(home)
	return b.forwarding(region, func(c Call, k Kind) bool {
		switch {
		case !c.fromSpoke(k):
			return false
		case Global(c.Source):
			return global
		case k.OfOwner():
			return owner && region == home
		}
		return k == Guard || region == home || k.Regional() && fast
	})
}

// fromSpoke reports whether a call in a guarded account can harm the kind. No such account
// has memories or functions of relight's.
func (c Call) fromSpoke(k Kind) bool {
	return !c.Memory && (k != Guard || Global(c.Source) || c.onForwarder())
}

// SpokeRegions returns the regions of a guarded account that have rules.
func (b Baseline) SpokeRegions(home string) []string {
	return append([]string{home}, b.Forwarders(home)...)
}

// OwnARN returns an ARN of the configuration for a guarded account: what is in the hub's
// account stands for what has the same name in each account.
func (o Organization) OwnARN(arn, account string) string {
	return strings.Replace(arn, ":"+o.Hub+":", ":"+account+":", 1)
}

// Guarded returns the desired state of a guarded account, given that of the hub. The names
// of what it has follow from the account, as the template says. It has nothing of the
// hub's: no functions, queues and schedules, no alarms on these, and no topic but the one
// for the alarms of a trail, if the account owns one. A key encrypts only what is in the
// key's own account, because keys have no names that all accounts could share. Its trail
// keeps its own bucket: that of the hub's trail need not admit it.
func (d Desired) Guarded(account string) Desired {
	in, _ := PartitionOf(d.HomeRegion) // the configuration accepted it
	own := func(arn string) string { return d.Organization.OwnARN(arn, account) }
	theirs := func(key string) bool { return strings.Contains(key, ":"+account+":") }
	role := func(name string) string { return "arn:" + in.ID + ":iam::" + account + ":role/" + name }
	destined := func(to Destined) Destined {
		to.ARN, to.Role = own(to.ARN), own(to.Role)
		return to
	}
	b := d.Baseline
	b.Member, b.MemberKeys = account, slices.DeleteFunc(append(GrantKeys(), KeyExemptByTag), func(key string) bool { return !d.Has(key) })
	b.Boundary = own(b.Boundary)
	b.Trail = TrailSpec{Name: own(b.Trail.Name), RoleARN: own(b.Trail.RoleARN), KeyARN: b.Trail.KeyARN}
	if !theirs(b.Trail.KeyARN) {
		b.Trail.KeyARN = ""
	}
	b.FlowLogs.To, b.FlowLogs.Chosen = destined(b.FlowLogs.To), maps.Clone(b.FlowLogs.Chosen)
	for of, chosen := range b.FlowLogs.Chosen {
		chosen.To = destined(chosen.To)
		b.FlowLogs.Chosen[of] = chosen
	}
	b.Adopt.Topics, b.Adopt.FlowLogs = slices.Clone(b.Adopt.Topics), slices.Clone(b.Adopt.FlowLogs)
	for _, arns := range [][]string{b.Adopt.Topics, b.Adopt.FlowLogs} {
		for i, arn := range arns {
			arns[i] = own(arn)
		}
	}
	b.KMSKeys = maps.Clone(b.KMSKeys)
	maps.DeleteFunc(b.KMSKeys, func(_, key string) bool { return !theirs(key) })
	b.FlowLogControls, b.StackAlarms, b.LastHeard, b.FarTopic = nil, nil, nil, ""
	return Desired{Baseline: b, Deployment: Deployment{
		Account: account, HomeRegion: d.HomeRegion, Topic: "arn:" + in.ID + ":sns:" + d.HomeRegion + ":" + account + ":" + b.Name(SpokeAlarms), DeliveryRole: role(b.Name(SpokeDelivery)), Role: role(b.Organization.Role),
	}}
}
