package awsio

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// trailLogs returns the log group whose filters and alarms relight protects.
// relight reads its memory and what the trails do only if the trails leave a doubt.
// The caller then passes the choice to confirmTrailLogs.
func (r *region) trailLogs(ctx context.Context) (plan.TrailLogs, error) {
	trails, err := r.describeTrails(ctx)
	if err != nil {
		return plan.TrailLogs{}, err
	}
	choose := func(remembered *plan.TrailMemory, does plan.Healths) plan.TrailLogs {
		return plan.ChooseTrailLogs(r.Want, r.account, r.name, trails, remembered, does)
	}
	found := choose(nil, nil)
	choice := plan.ChooseTrail(r.Want, r.account, r.name, trails, nil, nil)
	named := r.Want.LogGroup.Name != ""
	if named && !found.Unfed || !named && !choice.Unsure {
		return found, nil
	}
	memory, err := r.recallTrail(ctx)
	if err != nil {
		return plan.TrailLogs{}, err
	}
	if memory.Unreadable != "" { // another trail's log group would be harmful
		return plan.TrailLogs{}, r.unusable("relight cannot determine which trail to protect", memory)
	}
	does := plan.Healths{}
	if !named && memory.Trail == nil {
		if err := r.readHealth(ctx, does, choice.Compare); err != nil {
			return plan.TrailLogs{}, err
		}
	}
	return choose(memory.Trail, does), nil
}

// confirmTrailLogs returns the choice of a log group after its filters were read.
// If relight has none there, it has not protected the group before: then it reads
// its memory, and what the trails record that deliver to the group.
func (r *region) confirmTrailLogs(ctx context.Context, found plan.TrailLogs, filters []plan.Filter, exists bool) (plan.TrailLogs, error) {
	if found.Unfed {
		return plan.UnfedLogGroup(r.Want, exists), nil
	}
	if len(found.Doubt) == 0 || slices.ContainsFunc(filters, func(f plan.Filter) bool { return strings.HasPrefix(f.Name, r.Want.Prefix+"-") }) {
		return found, nil
	}
	memory, err := r.recallTrail(ctx)
	if err != nil {
		return plan.TrailLogs{}, err
	}
	if m := memory.Trail; m != nil && slices.ContainsFunc(found.Doubt, func(t plan.Trail) bool { return t.ARN == m.ARN }) {
		return found, nil
	}
	does := plan.Healths{}
	if err := r.readHealth(ctx, does, found.Doubt); err != nil {
		return plan.TrailLogs{}, err
	}
	confirmed := found.FedBy(does)
	if confirmed.LogGroup == "" && memory.Unreadable != "" {
		return plan.TrailLogs{}, r.unusable("relight cannot determine whether it protected the trail before", memory)
	}
	return confirmed, nil
}

// unusable is the error of an observation that needs the memory when the memory
// cannot be used.
func (r *region) unusable(why string, memory plan.Recollection) error {
	return &remedy.Error{
		Op: "recall", Target: r.Want.TrailMemory(), Class: remedy.Terminal, Err: errors.New(memory.Unreadable),
		Hint: why + ", and cannot use its memory of the trail: create the trail again, name it in the configuration, or write the memory again with relight accept",
	}
}
