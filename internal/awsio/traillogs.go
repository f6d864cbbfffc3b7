package awsio

import (
	"context"
	"errors"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// trailLogs returns the log group whose filters and alarms relight protects. A
// configured name needs no call; relight reads its memory only if the trails
// leave a doubt.
func (r *region) trailLogs(ctx context.Context) (plan.TrailLogs, error) {
	if r.Want.LogGroup.Name != "" {
		return plan.ChooseTrailLogs(r.Want, r.account, r.name, nil, nil), nil
	}
	trails, err := r.describeTrails(ctx)
	if err != nil {
		return plan.TrailLogs{}, err
	}
	var remembered *plan.TrailMemory
	if plan.ChooseTrail(r.Want, r.account, r.name, trails, nil).Unsure {
		memory, err := r.recallTrail(ctx)
		if err != nil {
			return plan.TrailLogs{}, err
		}
		if memory.Unreadable != "" { // another trail's log group would be harmful
			return plan.TrailLogs{}, r.unusable("relight cannot determine which trail to protect", memory)
		}
		remembered = memory.Trail
	}
	return plan.ChooseTrailLogs(r.Want, r.account, r.name, trails, remembered), nil
}

// confirmTrailLogs returns the log group of filters and alarms, which does not
// exist. It returns none if the configuration names the group and no trail ever
// delivered to it.
func (r *region) confirmTrailLogs(ctx context.Context, found plan.TrailLogs) (plan.TrailLogs, error) {
	if r.Want.LogGroup.Name == "" {
		return found, nil
	}
	trails, err := r.describeTrails(ctx)
	if err != nil {
		return plan.TrailLogs{}, err
	}
	confirmed := plan.ConfirmTrailLogs(r.Want, r.account, r.name, trails, nil)
	if confirmed.LogGroup != "" {
		return confirmed, nil
	}
	memory, err := r.recallTrail(ctx)
	if err == nil && memory.Unreadable != "" {
		err = r.unusable("relight cannot determine whether a trail delivered to "+r.Want.LogGroup.Name, memory)
	}
	return plan.ConfirmTrailLogs(r.Want, r.account, r.name, trails, memory.Trail), err
}

// unusable is the error of an observation that needs the memory when the memory
// cannot be used.
func (r *region) unusable(why string, memory plan.Recollection) error {
	return &remedy.Error{
		Op: "recall", Target: r.Want.TrailMemory(), Class: remedy.Terminal, Err: errors.New(memory.Unreadable),
		Hint: why + ", and cannot use its memory of the trail: create the trail again, name it in the configuration, or write the memory again with relight accept",
	}
}
