package app

import (
	"context"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

// CheckSpoke checks what a guarded account has of relight's in a region, as a sweep does.
func (a *App) CheckSpoke(ctx context.Context, account, region string) remedy.Report {
	s := remedy.Scope{Account: account, Region: region, Kind: catalog.Guard}
	return a.check(ctx, sweepTime(ctx), a.of(account).reconciler, s, catalog.Repair)
}
