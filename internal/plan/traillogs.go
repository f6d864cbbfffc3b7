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
	LogGroup  string    // name; "" if there is none, or it is of another account or region
	Elsewhere string    // why there is nothing to plan here; "" if there is
	Findings  []Finding // about the choice: no trail, several, another home region
}

// A TrailChoice says which trail relight protects.
type TrailChoice struct {
	Trail     *Trail    // nil if there is none to protect here
	Gone      bool      // the remembered trail no longer exists
	Named     bool      // the configuration names the trail
	Unsure    bool      // the memory decides: several trails qualify, or none does and none is of an organisation
	Elsewhere string    // why there is nothing to plan here; "" if there is
	Findings  []Finding // about the choice: no trail, several, another home region
}

// ChooseTrail returns the trail that relight protects, the same for every kind.
// The first row that applies decides:
//
//	the configuration names a trail               that one
//	a trail is remembered                         that one, whether it exists or not
//	trails deliver to a log group here            the first by ARN
//	a trail has another home region or account    none: this deployment must not change it
//	any other trail of this account and region    the first by ARN
//
// Only trails that record every region count, unless named or remembered: any
// other may serve another purpose.
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
		c.Findings = several(here, *c.Trail, "the remembered one")
	case len(here) > 0:
		c.Trail = &here[0]
		c.Findings = several(here, *c.Trail, "the first by ARN")
	case len(abroad) > 0:
		c.Findings = []Finding{otherHome(abroad[0], region)}
	case len(theirs) > 0:
		c.Elsewhere = fmt.Sprintf("not applicable: %s belongs to account %s, and only that account can protect it", theirs[0].ARN, arnOf(theirs[0].ARN).AccountID)
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
			c.Elsewhere = fmt.Sprintf("not applicable: %s belongs to account %s, and only that account can protect it", t.ARN, arnOf(t.ARN).AccountID)
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
		return TrailLogs{LogGroup: logGroupName(here[0].LogGroupARN), Findings: several(here, here[0], "the first by ARN")}
	case len(otherRegion) > 0:
		t := otherRegion[0]
		return TrailLogs{Findings: []Finding{NewFinding(TrailLogGroupElsewhere, Args{
			"trail": t.ARN, "where": arnOf(t.LogGroupARN).Region, "region": region, "home": t.HomeRegion,
		})}}
	case len(otherAccount) > 0:
		t := otherAccount[0]
		return TrailLogs{Elsewhere: fmt.Sprintf("not applicable: filters and alarms belong to account %s, which owns %s", ownerOf(t), t.ARN)}
	case len(silent) > 0:
		return TrailLogs{Findings: []Finding{NewFinding(TrailNoLogGroup, Args{"trail": silent[0].ARN})}}
	}
	return TrailLogs{Findings: []Finding{noTrail(account, region)}}
}

// ConfirmTrailLogs is for a configured log group that does not exist. It returns
// the log group if a trail delivers to it, or did as far as relight remembers:
// then it was deleted. Otherwise the configuration is wrong, and filters on a log
// group that receives nothing would only look like protection.
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
	return TrailLogs{Findings: []Finding{NewFinding(LogGroupNotFound, Args{"group": want.LogGroup.Name})}}
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
