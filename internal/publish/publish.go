// Package publish runs the function that audits an account and publishes the findings in
// Security Hub. It is apart from serve because the other functions would otherwise link
// the client of Security Hub, and this one what repairs: see docs/adr/0025-security-hub.md.
package publish

import (
	"context"
	"fmt"
	"log"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/audit/finding"
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/awsio/hub"
	"github.com/relight-aws/relight/internal/catalog"
)

// Function runs the deployed function. It ends the process if the function cannot start,
// with every problem in the log.
func Function() {
	o, err := app.Load(catalog.Auditor)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(New(o).Handle)
}

// A Publisher publishes audits of one deployment.
type Publisher struct {
	cloud      *awsio.Cloud
	auditor    app.Auditor
	home       string
	frameworks []catalog.Framework
	log        *slog.Logger
}

// New returns the publisher of a deployment.
func New(o app.Options) *Publisher {
	want := o.Config.Desired(o.Deployment)
	cloud := &awsio.Cloud{Config: o.AWS, Want: want, Pace: o.Pace, Now: o.Now}
	p := &Publisher{cloud: cloud, auditor: app.NewAuditor(cloud, o.Config, o.Deployment), home: o.Deployment.HomeRegion, log: o.Log}
	for _, id := range want.Audit.Frameworks {
		if f, known := catalog.FrameworkByID(id); known {
			p.frameworks = append(p.frameworks, f)
		}
	}
	return p
}

// A Result is the answer to an invocation.
type Result struct {
	Findings int                  `json:"findings"` // of the audit
	Imported int                  `json:"imported"` // those that Security Hub took
	Active   int                  `json:"active"`   // those that need action
	Checks   map[audit.Status]int `json:"checks"`   // by status
}

// Handle audits the account and imports each check as a finding, whatever the invocation
// says. It fails unless Security Hub takes every finding: the alarm on the function's
// errors then notifies people.
func (p *Publisher) Handle(ctx context.Context) (Result, error) {
	rep, err := p.auditor.Audit(ctx, app.AuditRequest{Frameworks: p.frameworks}, nil)
	if err != nil {
		p.log.Error("audit failed", "error", err.Error())
		return Result{}, fmt.Errorf("audit: %w", err)
	}
	list := finding.ToASFF(rep)
	res := Result{Findings: len(list), Checks: rep.Totals}
	for _, f := range list {
		if f.RecordState == finding.Active {
			res.Active++
		}
	}
	res.Imported, err = hub.Import(ctx, p.cloud, p.home, list)
	for _, u := range rep.Unread {
		p.log.Warn("unread", "region", u.Region, "action", u.Action, "error", u.Error)
	}
	if err != nil {
		p.log.Error("publication failed", "findings", res.Findings, "imported", res.Imported, "error", err.Error())
		return res, fmt.Errorf("publish: %w", err)
	}
	p.log.Info("published", "findings", res.Findings, "active", res.Active)
	return res, nil
}
