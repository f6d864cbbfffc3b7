package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
)

// TrailLogs says which log group the account's trail delivers to.
type TrailLogs struct {
	LogGroup  string    // name; "" if there is none, or it is of another account or region
	Elsewhere string    // why there is nothing to plan here; "" if there is
	Findings  []Finding // about the choice: no trail, several, another home region
	Unfed     bool      // the configuration names LogGroup, but no trail delivers to it; see UnfedLogGroup
	Doubt     []Trail   // the trails that feed LogGroup, if each may record other events only; see FedBy
}

// A TrailChoice says which trail relight protects.
type TrailChoice struct {
	Trail     *Trail    // nil if there is none to protect here
	Gone      bool      // the remembered trail no longer exists
	Named     bool      // the configuration names the trail
	Unsure    bool      // the memory decides: several trails qualify, or none does and none is of an organisation
	Elsewhere string    // why there is nothing to plan here; "" if there is
	Findings  []Finding // about the choice: no trail, several, another home region

	Compare []Trail // those whose health decides and was not given: until it is, the choice is provisional
	Rivals  []Trail // those whose health was not given and says whether they qualify too
	Theirs  *Trail  // the organisation's trail that is the reason for Elsewhere
}

// A TrailHealth says what a trail does.
type TrailHealth struct {
	Status    TrailStatus
	Selectors Selectors
	Adopted   bool // relight's filters are on its log group: it was protected before
	Unread    bool // the trail is of another account, which does not show it
}

// A rank says how well a trail does the job of an account's audit trail.
type rank int

// The ranks of trails, the best first.
const (
	complete     rank = iota // it logs all management events, reads and writes, and delivers them
	undelivering             // it logs them, but CloudTrail reports an error of its deliveries
	narrow                   // it logs some of them
	stopped                  // it does not log
	otherPurpose             // it records other events only, and relight never protected it
)

// OtherPurpose reports whether a trail records other events only, and no sign says
// that relight protected it before.
func (h TrailHealth) OtherPurpose() bool { return h.Selectors.otherPurpose() && !h.Adopted }

func (h TrailHealth) rank() rank {
	switch {
	case h.Unread:
		return complete
	case h.OtherPurpose():
		return otherPurpose
	case !h.Status.Logging:
		return stopped
	case h.Selectors.Missing() != "":
		return narrow
	case h.Status.DeliveryError+h.Status.LogsError != "":
		return undelivering
	}
	return complete
}

// Healths says what trails do, by ARN. A trail that is not in it was not read.
type Healths map[string]TrailHealth

// ChooseTrail returns the trail that relight protects, the same for every kind.
// The first row that applies decides:
//
//	the configuration names a trail               that one
//	a trail is remembered, and the configuration  the best of the trails that deliver to the configured one
//	 names another log group than it delivered to
//	a trail is remembered                         that one, whether it exists or not
//	trails deliver to a log group here, or an     the best of them, see below; none to protect here if
//	 organisation has one for this account        that is the organisation's
//	a trail has another home region or account    none: this deployment must not change it
//	any other trail of this account and region    the best of them
//
// Only trails that record every region count, unless named or remembered: any
// other may serve another purpose. So may a trail that records other events than
// management events: it counts only if relight's filters are on its log group.
// relight never changes a trail that it did not choose.
//
// The best is, in this order: one that delivers to the configured log group; one
// that logs all management events and delivers them; one that logs them and cannot
// deliver; one that logs some; one that was stopped, which relight starts, since
// the account has no other; of equals the organisation's, then one that relight has
// not to update, then the first by ARN. A
// trail that was stopped on purpose while another one does the job is thus left
// stopped.
//
// An organisation's trail belongs to another account, except in the account of its
// delegated administrator, which has the log group. Source: CloudTrail User Guide,
// "Organization delegated administrator".
func ChooseTrail(want catalog.Desired, account, region string, trails []Trail, remembered *TrailMemory, does Healths) TrailChoice {
	trails = slices.Clone(trails)
	order.By(trails, func(a, b Trail) int { return cmp.Compare(a.ARN, b.ARN) })
	if want.Trail.Name != "" {
		return namedTrail(want.Trail.Name, account, region, trails, remembered)
	}
	var ours, orgs, abroad, theirs, silent []Trail
	for _, t := range trails {
		mine := arnOf(t.ARN).AccountID == account
		switch {
		case !t.MultiRegion:
		case mine && t.HomeRegion != region:
			abroad = append(abroad, t)
		case t.HomeRegion == region && t.DeliversTo(account, region):
			ours = append(ours, t)
		case mine:
			silent = append(silent, t)
		case t.Organization:
			orgs = append(orgs, t)
			fallthrough
		default:
			theirs = append(theirs, t)
		}
	}
	c := TrailChoice{Unsure: len(ours) > 1 || len(ours) > 0 && len(orgs) > 0 || len(ours)+len(theirs) == 0}
	elsewhere := func(t Trail) bool {
		return want.LogGroup.Name != "" && logGroupName(t.LogGroupARN) != want.LogGroup.Name
	}
	if remembered != nil && remembered.Superseded(want) {
		feeding := slices.DeleteFunc(slices.Clone(ours), elsewhere)
		if best, _ := does.best(want, account, region, feeding); best != nil {
			c.Trail, c.Compare = best, does.unread(feeding)
			return c
		}
	}
	if remembered != nil {
		i := slices.IndexFunc(trails, func(t Trail) bool { return t.ARN == remembered.ARN })
		if c.Gone = i < 0; c.Gone {
			return c
		}
		c.Trail = &trails[i]
		rivals := slices.DeleteFunc(ours, func(t Trail) bool { return t.ARN == remembered.ARN || elsewhere(t) })
		c.Rivals = does.unread(rivals)
		qualify := slices.DeleteFunc(rivals, func(t Trail) bool { return !does.known(t) || does[t.ARN].rank() > complete || !t.whole() })
		c.Findings = several(qualify, *c.Trail, "the remembered one")
		return c
	}
	if len(ours) > 0 {
		contest := slices.Concat(orgs, ours)
		c.Compare = does.unread(contest)
		switch best, equals := does.best(want, account, region, contest); {
		case best == nil: // each has another purpose
		case best.DeliversTo(account, region):
			c.Trail, c.Findings = best, several(equals, *best, "the first by ARN")
			return c
		default:
			c.Theirs = best
			c.Elsewhere = notOurs(*best) + "; to protect " + ours[0].ARN + " here, name it in the configuration: trail.name"
			return c
		}
	}
	theirs = slices.DeleteFunc(theirs, func(t Trail) bool { return does[t.ARN].rank() == otherPurpose && does.known(t) })
	best, _ := does.best(want, account, region, silent)
	switch other := slices.Concat(ours, silent); {
	case len(abroad) > 0:
		c.Findings = []Finding{otherHome(abroad[0], region)}
	case len(theirs) > 0:
		c.Elsewhere = notOurs(theirs[0])
	case best != nil:
		c.Trail, c.Compare = best, does.unread(silent)
	case len(other) > 0:
		c.Findings = []Finding{NewFinding(TrailOtherPurpose, Args{"trail": other[0].ARN})}
	default:
		c.Findings = []Finding{noTrail(account, region)}
	}
	return c
}

// whole reports whether a trail that exists has what the policy requires of every
// trail's settings.
func (t Trail) whole() bool { return t.GlobalEvents && t.Validation }

// DeliversTo reports whether a trail's log group is in an account and region.
func (t Trail) DeliversTo(account, region string) bool {
	at := arnOf(t.LogGroupARN)
	return at.AccountID == account && at.Region == region
}

func (h Healths) known(t Trail) bool {
	_, known := h[t.ARN]
	return known
}

// unread returns the trails whose health is not known.
func (h Healths) unread(trails []Trail) []Trail {
	return slices.DeleteFunc(slices.Clone(trails), h.known)
}

// best returns the best of some trails, and those that are as good. It returns nil
// if each is known to have another purpose. See ChooseTrail.
func (h Healths) best(want catalog.Desired, account, region string, trails []Trail) (best *Trail, equals []Trail) {
	grade := func(t Trail) [4]int {
		g := [4]int{1, int(h[t.ARN].rank()), 1, 1}
		if t.DeliversTo(account, region) && logGroupName(t.LogGroupARN) == want.LogGroup.Name {
			g[0] = 0
		}
		if !h.known(t) {
			g[1] = 0
		}
		if t.Organization && arnOf(t.ARN).AccountID != account {
			g[2] = 0
		}
		if t.whole() {
			g[3] = 0
		}
		return g
	}
	trails = slices.DeleteFunc(slices.Clone(trails), func(t Trail) bool { return grade(t)[1] == int(otherPurpose) })
	order.By(trails, func(a, b Trail) int { x, y := grade(a), grade(b); return slices.Compare(x[:], y[:]) })
	if len(trails) == 0 {
		return nil, nil
	}
	return &trails[0], slices.DeleteFunc(slices.Clone(trails), func(t Trail) bool { return grade(t) != grade(trails[0]) })
}

func notOurs(t Trail) string {
	return fmt.Sprintf("not applicable: %s belongs to account %s, and only that account can protect it", t.ARN, arnOf(t.ARN).AccountID)
}

// namedTrail returns the choice where the configuration names a trail.
func namedTrail(name, account, region string, trails []Trail, remembered *TrailMemory) TrailChoice {
	c := TrailChoice{Named: true}
	for i, t := range trails {
		switch {
		case !Called(t.ARN, name):
		case arnOf(t.ARN).AccountID != account && !t.DeliversTo(account, region):
			c.Elsewhere = notOurs(t)
		case t.HomeRegion != region:
			c.Findings = []Finding{otherHome(t, region)}
		default:
			return TrailChoice{Named: true, Trail: &trails[i]}
		}
	}
	switch {
	case remembered != nil && Called(remembered.ARN, name):
		return TrailChoice{Named: true, Gone: true}
	case c.Elsewhere == "" && c.Findings == nil:
		c.Findings = []Finding{NewFinding(TrailNotFound, Args{"name": name, "region": region})}
	}
	return c
}

func otherHome(t Trail, region string) Finding {
	return NewFinding(TrailHomeElsewhere, Args{"trail": t.ARN, "home": t.HomeRegion, "region": region})
}

func noTrail(account, region string) Finding {
	return NewFinding(TrailMissing, Args{"account": account, "region": region})
}

// ChooseTrailLogs returns the log group whose filters and alarms relight protects
// here: the configured one, else that of the protected trail, or the remembered
// one if somebody removed it from the trail. It is always a log group of this
// account and region, since filters and alarms count nowhere else.
// Source: AWS Security Hub User Guide, CloudWatch controls: an account whose
// trail belongs to another account or region gets NO_DATA.
func ChooseTrailLogs(want catalog.Desired, account, region string, trails []Trail, remembered *TrailMemory, does Healths) TrailLogs {
	if want.LogGroup.Name != "" {
		return configuredLogs(want, account, region, trails, remembered, does)
	}
	choice := ChooseTrail(want, account, region, trails, remembered, does)
	var group string
	if choice.Trail != nil {
		group = choice.Trail.LogGroupARN
	}
	if about := choice.Gone || choice.Trail != nil && remembered != nil && choice.Trail.ARN == remembered.ARN; group == "" && about {
		group = remembered.LogGroup
	}
	if at := arnOf(group); group != "" && at.AccountID == account && at.Region == region {
		return TrailLogs{LogGroup: logGroupName(group), Findings: choice.Findings, Doubt: custom(choice.Compare)}
	}
	if t := choice.Theirs; t != nil {
		return TrailLogs{Elsewhere: notTheirLogs(*t)}
	}
	if name := want.Trail.Name; name != "" { // no other trail takes its place
		if trails = slices.DeleteFunc(slices.Clone(trails), func(t Trail) bool { return !Called(t.ARN, name) }); len(trails) == 0 {
			return TrailLogs{Elsewhere: choice.Elsewhere, Findings: choice.Findings}
		}
	}
	trails = slices.Clone(trails)
	order.By(trails, func(a, b Trail) int { return cmp.Compare(a.ARN, b.ARN) })
	var here, otherRegion, otherAccount, silent []Trail
	other := func(t Trail) bool { return does.known(t) && does[t.ARN].rank() == otherPurpose }
	for _, t := range trails {
		group := arnOf(t.LogGroupARN)
		switch {
		case !t.MultiRegion || other(t):
		case ownerOf(t) != account:
			otherAccount = append(otherAccount, t)
		case t.LogGroupARN == "":
			silent = append(silent, t)
		case group.Region != region:
			otherRegion = append(otherRegion, t)
		default:
			here = append(here, t)
		}
	}
	switch {
	case len(here) > 0: // of an organisation, delivering to its delegated administrator
		return TrailLogs{LogGroup: logGroupName(here[0].LogGroupARN), Findings: several(here, here[0], "the first by ARN")}
	case len(otherRegion) > 0:
		t := otherRegion[0]
		return TrailLogs{Findings: []Finding{NewFinding(TrailLogGroupElsewhere, Args{
			"trail": t.ARN, "where": arnOf(t.LogGroupARN).Region, "region": region, "home": t.HomeRegion,
		})}}
	case len(otherAccount) > 0:
		return TrailLogs{Elsewhere: notTheirLogs(otherAccount[0])}
	case len(silent) > 0:
		return TrailLogs{Findings: []Finding{NewFinding(TrailNoLogGroup, Args{"trail": silent[0].ARN})}}
	}
	if i := slices.IndexFunc(trails, other); i >= 0 {
		return TrailLogs{Findings: []Finding{NewFinding(TrailOtherPurpose, Args{"trail": trails[i].ARN})}}
	}
	return TrailLogs{Findings: []Finding{noTrail(account, region)}}
}

func notTheirLogs(t Trail) string {
	return fmt.Sprintf("not applicable: filters and alarms belong to account %s, which owns %s", ownerOf(t), t.ARN)
}

// configuredLogs returns the configured log group if a trail of every region
// delivers to it, or one did as far as relight remembers. Otherwise the configuration is wrong, and filters on
// a log group that receives nothing would only look like protection.
func configuredLogs(want catalog.Desired, account, region string, trails []Trail, remembered *TrailMemory, does Healths) TrailLogs {
	name := want.LogGroup.Name
	feeds := func(group string) bool {
		return Trail{LogGroupARN: group}.DeliversTo(account, region) && logGroupName(group) == name
	}
	found := TrailLogs{LogGroup: name}
	feeding := slices.DeleteFunc(slices.Clone(trails), func(t Trail) bool {
		named := want.Trail.Name != "" && Called(t.ARN, want.Trail.Name)
		return !feeds(t.LogGroupARN) || !t.MultiRegion && !named
	})
	sure := slices.ContainsFunc(feeding, func(t Trail) bool {
		return want.Trail.Name != "" && Called(t.ARN, want.Trail.Name) || does.known(t) && does[t.ARN].rank() != otherPurpose
	})
	doubt := custom(feeding)
	switch {
	case sure || remembered != nil && feeds(remembered.LogGroup):
	case len(feeding) == 0:
		found.Unfed = true
	case len(doubt) == len(feeding):
		found.Doubt = doubt
	}
	return found
}

// custom returns the trails whose event selectors were changed. The others record
// all management events.
func custom(trails []Trail) []Trail {
	return slices.DeleteFunc(slices.Clone(trails), func(t Trail) bool { return !t.Selective })
}

// UnfedLogGroup is the choice where no trail delivers to the configured log group.
func UnfedLogGroup(want catalog.Desired, exists bool) TrailLogs {
	if exists {
		return TrailLogs{Findings: []Finding{NewFinding(LogGroupUnfed, Args{"group": want.LogGroup.Name})}}
	}
	return TrailLogs{Findings: []Finding{NewFinding(LogGroupNotFound, Args{"group": want.LogGroup.Name})}}
}

// Certain reports whether the choice stands whatever its filters are.
func (l TrailLogs) Certain() bool { return !l.Unfed && len(l.Doubt) == 0 }

// FedBy removes the doubt of a choice: the log group counts if one of the trails
// that feed it records management events. Otherwise filters on it count nothing.
func (l TrailLogs) FedBy(does Healths) TrailLogs {
	doubt := l.Doubt
	l.Doubt = nil
	if len(doubt) > 0 && !slices.ContainsFunc(doubt, func(t Trail) bool { return does[t.ARN].rank() != otherPurpose }) {
		return TrailLogs{Findings: []Finding{NewFinding(TrailOtherPurpose, Args{"trail": doubt[0].ARN})}}
	}
	return l
}

// ownerOf returns the account that has the filters and alarms of a trail: the
// account of its log group, or its own if it names none. An organisation's trail
// may not name its log group to a member account.
func ownerOf(t Trail) string {
	return cmp.Or(arnOf(t.LogGroupARN).AccountID, arnOf(t.ARN).AccountID)
}

// several returns a finding if other trails qualify besides the chosen one.
func several(trails []Trail, chosen Trail, why string) []Finding {
	var arns []string
	for _, t := range trails {
		if t.ARN != chosen.ARN {
			arns = append(arns, t.ARN)
		}
	}
	if len(arns) == 0 {
		return nil
	}
	return []Finding{NewFinding(TrailAmbiguous, Args{"trail": chosen.ARN, "why": why, "others": strings.Join(arns, ", ")})}
}
