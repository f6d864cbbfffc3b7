package plan

import (
	"fmt"
	"maps"

	"github.com/relight-aws/relight/internal/catalog"
)

// forever is the retention of a log group that keeps its logs for ever.
const forever int32 = 0

// Floors are the longest retentions that sweeps have seen, in days, by log group: see
// floorKey. A policy bounds retention from below alone, and somebody who shortens ten
// years to the policy's year destroys nine.
type Floors map[string]int32

// A Kept is the retention that a log group sets itself, as it was observed.
type Kept struct {
	Region, Group string
	Days          int32 // 0 for ever
}

// floorKey returns the key of a log group in Floors.
func floorKey(region, group string) string { return region + "/" + group }

// Raise returns floors that these retentions are among.
func (f Floors) Raise(seen []Kept) Floors {
	now := Floors{}
	maps.Copy(now, f)
	for _, k := range seen {
		key := floorKey(k.Region, k.Group)
		if was, known := now[key]; !known || longer(k.Days, was) {
			now[key] = k.Days
		}
	}
	return now
}

// Forget returns floors without some log groups, each given as REGION/NAME, and those
// that were not among them.
func (f Floors) Forget(groups []string) (now Floors, unknown []string) {
	now = maps.Clone(f)
	for _, g := range groups {
		if _, known := now[g]; !known {
			unknown = append(unknown, g)
		}
		delete(now, g)
	}
	return now, unknown
}

// longer reports whether one retention keeps logs longer than another.
func longer(a, b int32) bool { return b != forever && (a == forever || a > b) }

// floor returns the retention that a log group has to have: that of the policy, or
// the longest seen if that is longer.
func (f Floors) floor(region, group string, policy int32) int32 {
	if days, known := f[floorKey(region, group)]; known && longer(days, policy) {
		return days
	}
	return policy
}

// NeedsFloors reports whether the plan of an observation depends on what relight
// remembers of retentions: it is about log groups, and one of them is gone or does
// not keep its logs for ever; or it is about filters, and their group is gone.
func NeedsFloors(got Observed) bool {
	if s, ok := got.State.(*LogGroupState); ok && got.Type == catalog.FilteredGroup {
		return s.Trail.LogGroup != "" && !s.Exists
	}
	if got.Type != "" && got.Type != catalog.LogGroup {
		return false
	}
	switch s := got.State.(type) {
	case *LogGroupState:
		return s.Trail.LogGroup != "" && (!s.Exists || s.Group.RetentionDays != forever)
	case *FlowLogState:
		for _, n := range s.Networks {
			for _, fl := range n.FlowLogs {
				if g, exists := s.LogGroups[fl.LogGroup]; fl.LogGroup != "" && (!exists || g.RetentionDays != forever) {
					return true
				}
			}
		}
	}
	return false
}

// kept notes the retention of a log group, unless an account-wide policy sets it.
func (p *Plan) kept(region string, g LogGroup) {
	if g.RetentionBy == "" {
		p.Kept = append(p.Kept, Kept{region, g.Name, g.RetentionDays})
	}
}

// KeepForever makes a log group keep its logs for ever again.
type KeepForever struct {
	LogGroup string
	Reason   string
}

// Step returns the action as a step of a plan.
func (a KeepForever) Step() Step {
	return Step{Thing: "retention of log group", Stage: configure, Do: fmt.Sprintf("make log-group %s keep its logs for ever", a.LogGroup), Target: a.LogGroup, Reason: a.Reason}
}

// retention describes a retention.
func retention(days int32) string {
	if days == forever {
		return "for ever"
	}
	return "for " + count(int(days), "day")
}
