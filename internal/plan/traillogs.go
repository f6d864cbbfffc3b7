package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// TrailLogs says which log group the account's trail delivers to.
type TrailLogs struct {
	LogGroup  string    // name; "" where it is not for this account and region, or there is none
	Elsewhere string    // why there is nothing to do here, where that is in order
	Findings  []Finding // about the choice: no trail, several, another home
}

// A TrailChoice says which trail is guarded.
type TrailChoice struct {
	Trail     *Trail    // nil where there is none to guard here
	Gone      bool      // the remembered one does not exist any more
	Named     bool      // by the configuration
	Unsure    bool      // several qualify, or none and no organisation's: what is remembered decides
	Elsewhere string    // why there is nothing to do here, where that is in order
	Findings  []Finding // about the choice: no trail, several, another home
}

// ChooseTrail returns the trail that is guarded, for every kind the same:
//
//	named by the configuration            that one
//	remembered                            that one, gone or not
//	delivers to a log group here          the first by ARN
//	seen here, of another home or account none: it is not for this deployment to change
//	any other of this account and region  the first by ARN
//
// Only those that record every region count, unless named or remembered: one
// that does not may be an owner's for another purpose. A trail of another account, or whose home
// is another region, is not for this deployment to change.
func ChooseTrail(want catalog.Desired, account, region string, trails []Trail, remembered *TrailMemory) TrailChoice {
	trails = slices.Clone(trails)
	slices.SortFunc(trails, func(a, b Trail) int { return cmp.Compare(a.ARN, b.ARN) })
	var here, silent, abroad, theirs []Trail
	for _, t := range trails {
		group := arnOf(t.LogGroupARN)
		switch {
		case !t.MultiRegion:
		case arnOf(t.ARN).AccountID != account:
			theirs = append(theirs, t)
		case t.HomeRegion != region:
			abroad = append(abroad, t)
		case group.Region == region && group.AccountID == account:
			here = append(here, t)
		default:
			silent = append(silent, t)
		}
	}
	if want.Trail.Name != "" {
		return namedTrail(want.Trail.Name, account, region, trails, remembered)
	}
	c := TrailChoice{Unsure: len(here) > 1 || len(here)+len(theirs) == 0}
	switch {
	case remembered != nil:
		i := slices.IndexFunc(trails, func(t Trail) bool { return t.ARN == remembered.ARN })
		if c.Gone = i < 0; c.Gone {
			return c
		}
		c.Trail = &trails[i]
		c.Findings = several(here, *c.Trail, "chosen as the one remembered")
	case len(here) > 0:
		c.Trail = &here[0]
		c.Findings = several(here, *c.Trail, "chosen as the first by ARN")
	case len(abroad) > 0:
		c.Findings = []Finding{otherHome(abroad[0], region)}
	case len(theirs) > 0:
		c.Elsewhere = fmt.Sprintf("not applicable: %s belongs to account %s, which alone can guard it", theirs[0].ARN, arnOf(theirs[0].ARN).AccountID)
	case len(silent) > 0:
		c.Trail = &silent[0]
	default:
		c.Findings = []Finding{noTrail(account, region)}
	}
	return c
}

// namedTrail returns the choice where the configuration names a trail.
func namedTrail(name, account, region string, trails []Trail, remembered *TrailMemory) TrailChoice {
	c := TrailChoice{Named: true}
	for i, t := range trails {
		switch {
		case !Called(t.ARN, name):
		case arnOf(t.ARN).AccountID != account:
			c.Elsewhere = fmt.Sprintf("not applicable: %s belongs to account %s, which alone can guard it", t.ARN, arnOf(t.ARN).AccountID)
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
		c.Findings = []Finding{{
			Subject: "trail " + name,
			Problem: "the configuration names it, and there is none in " + region,
			Remedy:  "Correct trail.name, or create the trail.",
		}}
	}
	return c
}

func otherHome(t Trail, region string) Finding {
	return Finding{
		Subject: "trail " + t.ARN,
		Problem: "its home is " + t.HomeRegion + ", not " + region,
		Remedy:  "Deploy relight in the trail's home region, " + t.HomeRegion + ".",
	}
}

func noTrail(account, region string) Finding {
	return Finding{
		Subject: "account " + account,
		Problem: "it has no multi-region trail in " + region,
		Remedy:  "Create one that delivers to a log group: metric filters and alarms have nothing to stand on without it.",
	}
}

// ChooseTrailLogs returns the log group whose filters and alarms are to be held
// here: the configured one, else that of the trail that is guarded, as it is or
// as it is remembered where somebody stripped it. It is only ever a log group
// of this account and region, since filters and alarms count nowhere else.
// Source: AWS Security Hub User Guide, CloudWatch controls: an account whose
// trail belongs to another account or region gets NO_DATA.
func ChooseTrailLogs(want catalog.Desired, account, region string, trails []Trail, remembered *TrailMemory) TrailLogs {
	if want.LogGroup.Name != "" {
		return TrailLogs{LogGroup: want.LogGroup.Name}
	}
	choice := ChooseTrail(want, account, region, trails, remembered)
	var group string
	if choice.Trail != nil {
		group = choice.Trail.LogGroupARN
	}
	if about := choice.Gone || choice.Trail != nil && remembered != nil && choice.Trail.ARN == remembered.ARN; group == "" && about {
		group = remembered.LogGroup
	}
	if at := arnOf(group); group != "" && at.AccountID == account && at.Region == region {
		return TrailLogs{LogGroup: logGroupName(group), Findings: choice.Findings}
	}
	trails = slices.Clone(trails)
	slices.SortFunc(trails, func(a, b Trail) int { return cmp.Compare(a.ARN, b.ARN) })
	var here, otherRegion, otherAccount, silent []Trail
	for _, t := range trails {
		group := arnOf(t.LogGroupARN)
		switch {
		case !t.MultiRegion:
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
		return TrailLogs{LogGroup: logGroupName(here[0].LogGroupARN), Findings: several(here, here[0], "chosen as the first by ARN")}
	case len(otherRegion) > 0:
		t := otherRegion[0]
		return TrailLogs{Findings: []Finding{{
			Subject: "trail " + t.ARN,
			Problem: "its log group is in " + arnOf(t.LogGroupARN).Region + ", not in " + region,
			Remedy:  "Deploy relight in the trail's home region, " + t.HomeRegion + ".",
		}}}
	case len(otherAccount) > 0:
		t := otherAccount[0]
		return TrailLogs{Elsewhere: fmt.Sprintf("not applicable: filters and alarms belong to account %s, owner of %s", ownerOf(t), t.ARN)}
	case len(silent) > 0:
		return TrailLogs{Findings: []Finding{{
			Subject: "trail " + silent[0].ARN,
			Problem: "it delivers to no log group",
			Remedy:  "Give it one: aws cloudtrail update-trail --cloud-watch-logs-log-group-arn.",
		}}}
	}
	return TrailLogs{Findings: []Finding{noTrail(account, region)}}
}

// ConfirmTrailLogs returns the configured log group, which does not exist, if
// a trail delivers to it or is remembered to: then it was deleted. Otherwise
// the configuration is wrong, and filters on a group that nothing writes to
// would look like protection.
func ConfirmTrailLogs(want catalog.Desired, account, region string, trails []Trail, remembered *TrailMemory) TrailLogs {
	groups := make([]string, 0, len(trails)+1)
	for _, t := range trails {
		groups = append(groups, t.LogGroupARN)
	}
	if remembered != nil {
		groups = append(groups, remembered.LogGroup)
	}
	for _, g := range groups {
		if at := arnOf(g); at.AccountID == account && at.Region == region && logGroupName(g) == want.LogGroup.Name {
			return TrailLogs{LogGroup: want.LogGroup.Name}
		}
	}
	return TrailLogs{Findings: []Finding{{
		Subject: "log group " + want.LogGroup.Name,
		Problem: "the configuration names it, it does not exist, and no trail delivers to it",
		Remedy:  "Correct trailLogs.logGroup, or create the log group and point the trail at it.",
	}}}
}

// ownerOf returns the account whose filters and alarms stand on a trail: its
// log group's, or its own where it names none, as an organisation's may not
// to a member.
func ownerOf(t Trail) string {
	return cmp.Or(arnOf(t.LogGroupARN).AccountID, arnOf(t.ARN).AccountID)
}

// several returns a finding where more trails qualify than the chosen one.
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
	return []Finding{{
		Subject: "trail " + chosen.ARN,
		Problem: why + "; these qualify too: " + strings.Join(arns, ", "),
		Remedy:  "Name one in the configuration: trail.name.",
	}}
}
