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

// A Trail is a CloudTrail trail as seen from one region, its own or a shadow.
type Trail struct {
	ARN         string
	HomeRegion  string
	MultiRegion bool
	LogGroupARN string // of the log group it delivers to; "" for none
}

// ChooseTrailLogs returns the log group whose filters and alarms are to be held
// here: the configured one, else that of the account's multi-region trail. It
// is only ever a log group of this account and region, since filters and
// alarms count nowhere else. Source: AWS Security Hub User Guide, CloudWatch
// controls: an account whose trail belongs to another account or region gets
// NO_DATA.
func ChooseTrailLogs(want catalog.Policy, account, region string, trails []Trail) TrailLogs {
	if want.LogGroup.Name != "" {
		return TrailLogs{LogGroup: want.LogGroup.Name}
	}
	trails = slices.Clone(trails)
	slices.SortFunc(trails, func(a, b Trail) int { return cmp.Compare(a.ARN, b.ARN) })
	var here, otherRegion, otherAccount, silent []Trail
	for _, t := range trails {
		group := parseARN(t.LogGroupARN)
		switch {
		case !t.MultiRegion:
		case ownerOf(t) != account:
			otherAccount = append(otherAccount, t)
		case t.LogGroupARN == "":
			silent = append(silent, t)
		case group.region != region:
			otherRegion = append(otherRegion, t)
		default:
			here = append(here, t)
		}
	}
	switch {
	case len(here) > 0:
		return TrailLogs{LogGroup: logGroupName(here[0].LogGroupARN), Findings: several(here)}
	case len(otherRegion) > 0:
		t := otherRegion[0]
		return TrailLogs{Findings: []Finding{{
			Subject: "trail " + t.ARN,
			Problem: "its log group is in " + parseARN(t.LogGroupARN).region + ", not in " + region,
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
	return TrailLogs{Findings: []Finding{{
		Subject: "account " + account,
		Problem: "it has no multi-region trail in " + region,
		Remedy:  "Create one that delivers to a log group: metric filters and alarms have nothing to stand on without it.",
	}}}
}

// ownerOf returns the account whose filters and alarms stand on a trail: its
// log group's, or its own where it names none, as an organisation's may not
// to a member.
func ownerOf(t Trail) string {
	return cmp.Or(parseARN(t.LogGroupARN).account, parseARN(t.ARN).account)
}

func several(trails []Trail) []Finding {
	if len(trails) < 2 {
		return nil
	}
	var arns []string
	for _, t := range trails[1:] {
		arns = append(arns, t.ARN)
	}
	return []Finding{{
		Subject: "trail " + trails[0].ARN,
		Problem: "chosen as the first by ARN; these qualify too: " + strings.Join(arns, ", "),
		Remedy:  "Name the log group in the configuration: trailLogs.logGroup.",
	}}
}

type arnParts struct{ region, account, resource string }

// parseARN splits "arn:partition:service:region:account:resource".
func parseARN(arn string) arnParts {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return arnParts{}
	}
	return arnParts{region: parts[3], account: parts[4], resource: parts[5]}
}

// logGroupName returns the name in a log group's ARN, which AWS writes with
// and without a trailing ":*".
func logGroupName(arn string) string {
	return strings.TrimSuffix(strings.TrimPrefix(parseARN(arn).resource, "log-group:"), ":*")
}
