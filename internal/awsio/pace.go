package awsio

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// quotas are the calls per second that AWS allows per account and region, for
// the operations that relight calls often. Sources: CloudWatch Logs quotas
// (PutMetricFilter 5, DescribeMetricFilters 5, PutRetentionPolicy 5,
// CreateLogGroup 10, DescribeLogGroups 10), CloudWatch quotas
// (PutMetricAlarm 3, DescribeAlarms 9), CloudTrail API Reference, LookupEvents (2), and the Security Hub Partner Integration Guide,
// "Guidelines for using the BatchImportFindings API" (10). The first three cannot be raised.
// relight leaves a fifth of each quota to the owner's own calls.
var quotas = map[string]float64{
	"logs.PutMetricFilter":      5,
	metricFilters:               5,
	"logs.PutRetentionPolicy":   5,
	"logs.CreateLogGroup":       10,
	"logs.DescribeLogGroups":    10,
	"cloudwatch.PutMetricAlarm": 3,
	"cloudwatch.DescribeAlarms": 9,
	"cloudtrail.LookupEvents":   2,

	"securityhub.BatchImportFindings": 10,
}

// metricFilters is the read of which AWS allows fewest.
const metricFilters = "logs.DescribeMetricFilters"

const share = 0.8 // of a quota that relight uses

// A Pace keeps relight's calls below the accounts' quotas. It is safe for
// concurrent use; a nil Pace does not wait.
type Pace struct {
	Patient bool // the reads of a sweep may wait

	mu       sync.Mutex
	part     float64                  // of relight's share of a quota; zero for all of it
	limiters map[string]*rate.Limiter // by account, region and operation
	waiting  int                      // calls that wait for their turn now
	since    time.Time                // when the first of those began to
	waited   time.Duration            // how long some call has waited, without those
}

// Waited returns how long some call has waited for its turn so far: time in which AWS's quotas
// were the limit.
func (p *Pace) Waited() time.Duration {
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == 0 {
		return p.waited
	}
	return p.waited + time.Since(p.since)
}

// queue counts a call that begins to wait, or no longer waits.
func (p *Pace) queue(more int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.waiting > 0 {
		p.waited += now.Sub(p.since)
	}
	p.since, p.waiting = now, p.waiting+more
}

// Share sets which part of relight's share of the quotas this process may use for its
// writes, from 0 to 1: Lambda runs two processes of a function at once, and what one of
// them restores the other does not. A process that has all of it may save some for a burst.
func (p *Pace) Share(part float64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.part = part
}

// limit returns the calls per second and the burst for a quota.
func (p *Pace) limit(op string, quota float64) (rate.Limit, int) {
	use := quota * share
	if op == metricFilters { // two processes of a function and the sweep read them at once
		if p.Patient {
			return rate.Limit(use / 2), 1
		}
		return rate.Limit(use / 2), 2
	}
	if p.part == 0 || p.part == 1 {
		return rate.Limit(use), int(quota)
	}
	return rate.Limit(use * p.part), max(int(use/2), 1)
}

// wait blocks until an operation may be called in an account's region.
func (p *Pace) wait(ctx context.Context, where, op string) error {
	quota, limited := quotas[op]
	if p == nil || !limited {
		return nil
	}
	p.mu.Lock()
	if p.limiters == nil {
		p.limiters = map[string]*rate.Limiter{}
	}
	key := where + " " + op
	l := p.limiters[key]
	limit, burst := p.limit(op, quota)
	if l == nil {
		l = rate.NewLimiter(limit, burst)
		p.limiters[key] = l
	}
	if l.Limit() != limit {
		l.SetLimit(limit)
		l.SetBurst(burst)
	}
	p.mu.Unlock()
	p.queue(1)
	defer p.queue(-1)
	if err := l.Wait(ctx); err != nil { // it returns at once if the call's turn comes after the deadline
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return nil
}
