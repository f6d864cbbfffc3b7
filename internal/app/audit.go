package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/remedy"
)

// An AuditRequest says what to audit.
type AuditRequest struct {
	Frameworks []catalog.Framework
	Regions    []string // none means every enabled region
	Strict     bool     // see audit.Options
	Transit    bool     // list the transit gateways too
}

// otherRegions stands for the regions that an audit does not know.
const otherRegions = "other regions"

// An Auditor judges an account. It is apart from App, so that a function that only audits
// does not link what repairs.
type Auditor struct {
	cloud      *awsio.Cloud
	config     config.Config
	deployment catalog.Deployment
}

// NewAuditor returns the auditor of a deployment.
func NewAuditor(cloud *awsio.Cloud, c config.Config, d catalog.Deployment) Auditor {
	return Auditor{cloud, c, d}
}

// Audit judges the account as Auditor.Audit does.
func (a *App) Audit(ctx context.Context, req AuditRequest, progress func(done, total int)) (audit.Report, error) {
	return NewAuditor(a.cloud, a.config, a.deployment).Audit(ctx, req, progress)
}

// Audit judges the account, and changes nothing. If the regions cannot be listed, it
// reads the home region and says that the others are unknown. It calls the progress
// function, if there is one, after each region.
func (a Auditor) Audit(ctx context.Context, req AuditRequest, progress func(done, total int)) (audit.Report, error) {
	home, regions := a.deployment.HomeRegion, slices.Compact(slices.Sorted(slices.Values(req.Regions)))
	var unlisted *audit.Unread
	if len(regions) == 0 {
		enabled, _, err := a.cloud.Regions(ctx, home)
		switch e, isCall := errors.AsType[*remedy.Error](err); {
		case err == nil:
			regions = slices.DeleteFunc(enabled, func(r string) bool { return slices.Contains(a.config.SkipRegions, r) })
		case isCall && ctx.Err() == nil:
			regions = []string{home}
			unlisted = &audit.Unread{Link: audit.FlowLog, Region: otherRegions, Action: strings.Replace(e.Op, ".", ":", 1), Error: e.Error()}
		default:
			return audit.Report{}, fmt.Errorf("list regions: %w", err)
		}
	}
	controls := slices.DeleteFunc(slices.Clone(a.cloud.Want.Controls), func(c catalog.Control) bool {
		return !slices.ContainsFunc(req.Frameworks, func(f catalog.Framework) bool { return len(f.Requires(c.ID)) > 0 })
	})
	got := a.cloud.Audit(ctx, home, regions, controls, req.Transit, progress)
	if err := ctx.Err(); err != nil {
		return audit.Report{}, err
	}
	if unlisted != nil {
		got.Regions, got.Unread = append(got.Regions, audit.Region{Name: otherRegions}), append(got.Unread, *unlisted)
	}
	return audit.Of(a.cloud.Want, got, audit.Options{Frameworks: req.Frameworks, Strict: req.Strict}), nil
}
