package awsio

import (
	"context"
	"errors"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// trailLogs returns the log group whose filters and alarms are to be held. A
// configured name needs no call; what is remembered is asked for only where
// the trails leave a doubt.
func (c *Cloud) trailLogs(ctx context.Context, s remedy.Scope) (plan.TrailLogs, error) {
	if c.Want.LogGroup.Name != "" {
		return plan.ChooseTrailLogs(c.Want, s.Account, s.Region, nil, nil), nil
	}
	trails, err := c.describeTrails(ctx, s.Region)
	if err != nil {
		return plan.TrailLogs{}, err
	}
	var remembered *plan.TrailMemory
	if plan.ChooseTrail(c.Want, s.Account, s.Region, trails, nil).Unsure {
		memory, err := c.recallTrail(ctx, s)
		if err != nil {
			return plan.TrailLogs{}, err
		}
		if memory.Unreadable != "" { // another trail's log group would do harm
			return plan.TrailLogs{}, c.unusable("which trail is guarded is in doubt", memory)
		}
		remembered = memory.Trail
	}
	return plan.ChooseTrailLogs(c.Want, s.Account, s.Region, trails, remembered), nil
}

// confirmTrailLogs returns the log group of filters and alarms, which does not
// exist, unless the configuration names it and no trail ever delivered there.
func (c *Cloud) confirmTrailLogs(ctx context.Context, s remedy.Scope, found plan.TrailLogs) (plan.TrailLogs, error) {
	if c.Want.LogGroup.Name == "" {
		return found, nil
	}
	trails, err := c.describeTrails(ctx, s.Region)
	if err != nil {
		return plan.TrailLogs{}, err
	}
	confirmed := plan.ConfirmTrailLogs(c.Want, s.Account, s.Region, trails, nil)
	if confirmed.LogGroup != "" {
		return confirmed, nil
	}
	memory, err := c.recallTrail(ctx, s)
	if err == nil && memory.Unreadable != "" {
		err = c.unusable("whether a trail delivered to "+c.Want.LogGroup.Name+" is in doubt", memory)
	}
	return plan.ConfirmTrailLogs(c.Want, s.Account, s.Region, trails, memory.Trail), err
}

// unusable is the error of a look that cannot do without the memory.
func (c *Cloud) unusable(why string, memory plan.Recollection) error {
	return &remedy.Error{
		Op: "recall", Target: c.Want.TrailMemory(), Class: remedy.Terminal, Err: errors.New(memory.Unreadable),
		Hint: why + ", and what is remembered cannot be used: create the trail again, name it in the configuration, or mend the memory with relight accept",
	}
}
