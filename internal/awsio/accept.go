package awsio

import (
	"context"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// TrailToAccept returns what is remembered of the trail and what would be if
// the trail were accepted as it is now. Where the remembered one is gone, that
// is the one that policy would choose.
func (c *Cloud) TrailToAccept(ctx context.Context, s remedy.Scope) (was plan.Recollection, now plan.TrailMemory, choice plan.TrailChoice, err error) {
	if was, err = c.recallTrail(ctx, s); err != nil {
		return was, now, choice, err
	}
	trails, err := c.describeTrails(ctx, s.Region)
	if err != nil {
		return was, now, choice, err
	}
	if choice = plan.ChooseTrail(c.Want, s.Account, s.Region, trails, was.Trail); choice.Gone {
		choice = plan.ChooseTrail(c.Want, s.Account, s.Region, trails, nil)
	}
	if choice.Trail == nil {
		return was, now, choice, nil
	}
	var state plan.TrailState
	if err := c.describeHealth(ctx, s.Region, choice.Trail.ARN, &state); err != nil {
		return was, now, choice, err
	}
	return was, plan.MemoryOf(*choice.Trail, state.Selectors), choice, nil
}
