package awsio

import (
	"context"

	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// TrailToAccept returns what relight remembers of the trail, and what it would
// remember if the trail were accepted as it is now. If the remembered trail is
// gone, the second is the trail that policy would choose.
func (c *Cloud) TrailToAccept(ctx context.Context, s remedy.Scope) (was plan.Recollection, now plan.TrailMemory, choice plan.TrailChoice, err error) {
	r := c.in(s.Account, s.Region)
	if was, err = r.recallTrail(ctx); err != nil {
		return was, now, choice, bare(err)
	}
	trails, err := r.describeTrails(ctx)
	if err != nil {
		return was, now, choice, bare(err)
	}
	does := plan.Healths{}
	choose := func(remembered *plan.TrailMemory) (plan.TrailChoice, error) {
		return r.chooseTrail(ctx, does, func() plan.TrailChoice {
			return plan.ChooseTrail(r.Want, r.account, r.name, trails, remembered, does)
		})
	}
	if choice, err = choose(was.Trail); err == nil && choice.Gone {
		choice, err = choose(nil)
	}
	if err == nil && choice.Trail != nil && ownerOf(choice.Trail.ARN) != r.account {
		choice = plan.TrailChoice{Elsewhere: "relight does not remember " + choice.Trail.ARN + ", which belongs to another account"}
	}
	if err != nil || choice.Trail == nil {
		return was, now, choice, bare(err)
	}
	if err := r.readHealth(ctx, does, []plan.Trail{*choice.Trail}); err != nil {
		return was, now, choice, bare(err)
	}
	made, err := r.madeTrailGroup(ctx, *choice.Trail, plan.Recollection{}) // its tag alone decides
	return was, plan.MemoryOf(*choice.Trail, does[choice.Trail.ARN].Selectors, made), choice, bare(err)
}
