package docs_test

import (
	"fmt"
	"math"
	"strconv"

	"github.com/relight-aws/relight/internal/config"
)

// Prices in USD of us-east-1, beyond the free tier. Source: the pricing pages of the
// services as third parties quote them for February and March 2026; they are not read live, and
// change.
const (
	priceAlarm   = 0.10         // a month, of one metric at standard resolution
	priceMetric  = 0.30         // a month, of the first 10,000
	priceKey     = 1.00         // a month
	priceSecond  = 0.0000133334 // of a GB of memory of a function on arm64
	priceRequest = 0.20 / 1e6   // of a function
	priceQueue   = 0.40 / 1e6   // of a request to a standard queue
	priceCalls   = 0.01 / 1000  // of a CloudWatch API request
	freeCalls    = 1_000_000    // of CloudWatch API requests, and of requests to queues
	pollers      = 5            // of each queue, at least. Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS"
	longPoll     = 20           // seconds, of each request
	sweepsADay   = 193          // two schedules of 15 minutes, and the daily digest
	sweepSeconds = 10           // of a sweep: an assumption; the log has the real one
	sweepReads   = 10           // CloudWatch API requests of a sweep: rounded up
	memory       = 256.0 / 1024 // GB
	monthDays    = 30

	priceTransition = 0.025 / 1000 // of a state of a Standard execution
	priceExpress    = 1.00 / 1e6   // of an Express execution
	priceExpressGBs = 0.00001667   // of a second of a GB of it
	expressStep     = 0.1          // seconds, to which its time is rounded up
	expressMemory   = 64.0 / 1024  // GB, the least that is charged
	accountsOnPage  = 20           // of ListAccounts. Source: AWS Organizations API Reference, MaxResults
)

// organizationCost shows what the sweeps of an organisation cost in a month, as figures of the
// workload times prices.
func organizationCost(p *page, accounts int, organization, machine table) {
	figure := func(t table, row, column string) float64 {
		v, err := strconv.ParseFloat(t.cell(row, column), 64)
		if err != nil {
			panic(fmt.Sprintf("figure %s/%s: %v", row, column, err))
		}
		return v
	}
	of := func(row, column string) float64 { return figure(machine, row, column) }
	seconds := figure(organization, fmt.Sprintf("%d-accounts-next", accounts), "one-account")
	took := figure(organization, fmt.Sprintf("%d-accounts-next", accounts), "took")
	n, sweeps := float64(accounts), float64(sweepsADay*monthDays)
	pages := math.Ceil((n + 1) / accountsOnPage)
	transitions := of("execution", "transitions") + pages*of("page", "transitions") + n*of("account", "transitions")
	invocations := of("execution", "invocations") + n*of("account", "invocations")
	express := math.Ceil(seconds/expressStep) * expressStep
	total := 0.0
	p.line("What the sweeps of these %d accounts cost in a month, %d a day for %d days, in USD of us-east-1 beyond the free tier. The prices are those that third parties quoted from AWS's pricing pages in", accounts, sweepsADay, monthDays)
	p.line("February and March 2026, and were not checked against a bill. A sweep that finds all as it should be takes %.1f minutes, %.1f seconds of the function for each account. Time is what calls to AWS take: if one takes", took/60, seconds)
	p.line("100 ms instead of 20, the lines with seconds are five times as much. A *transition* is a state of the execution that AWS charges, with one for the start of each account's child, which may be one too many.\n")
	p.head("What", "How many", "USD")
	row := func(what, count string, usd float64) {
		p.row(what, count, fmt.Sprintf("%.2f", usd))
		total += usd
	}
	row("state transitions", fmt.Sprintf("%.0f sweeps × %.0f, with %.0f pages of accounts", sweeps, transitions, pages), sweeps*transitions*priceTransition)
	row("Express executions", fmt.Sprintf("%.0f sweeps × %.0f", sweeps, n), sweeps*n*priceExpress)
	row("their seconds", fmt.Sprintf("%.0f sweeps × %.0f × %.1f s × %.4f GB", sweeps, n, express, expressMemory), sweeps*n*express*expressMemory*priceExpressGBs)
	row("invocations of the function", fmt.Sprintf("%.0f sweeps × %.0f", sweeps, invocations), sweeps*invocations*priceRequest)
	row("their seconds", fmt.Sprintf("%.0f sweeps × (%.0f × %.1f s + %d s for the hub) × %g GB", sweeps, n, seconds, sweepSeconds, memory), sweeps*(n*seconds+sweepSeconds)*memory*priceSecond)
	p.row("**In all**", "", fmt.Sprintf("**%.2f**", total))
	p.line("")
	p.line("It is as much less as `sweepMinutes` is more. The hub costs [what one account does](rollout.md#what-a-month-costs) besides, and an account that owns a trail its alarms and its key. The files of results, some 17,000 a month, and events that")
	p.line("cross accounts are not in it.\n")
}

// cost shows what one deployment with the default configuration costs in a month, as
// counts from the code times prices.
func cost(p *page) {
	cfg, err := config.Parse(nil)
	if err != nil {
		panic(err)
	}
	b := cfg.Baseline()
	functions := len(b.Deployed())
	metrics := 4*(functions+1) + 1
	total := 0.0
	p.line("")
	p.head("What", "How many", "USD each", "USD a month")
	add := func(what string, n float64, count string, price float64) {
		p.row(what, count, fmt.Sprintf("%.2f", price), fmt.Sprintf("%.2f", n*price))
		total += n * price
	}
	fixed := func(what string, n int, price float64) { add(what, float64(n), fmt.Sprint(n), price) }
	fixed("alarms of the controls", len(b.Controls), priceAlarm)
	fixed("metrics of the controls, if each had a matching event in every hour", len(b.Controls), priceMetric)
	fixed("alarms on relight itself", len(b.StackAlarms), priceAlarm)
	fixed("metrics of relight itself", metrics, priceMetric)
	fixed("KMS key", 1, priceKey)
	row := func(what, arithmetic string, usd float64) {
		p.row(what, arithmetic, "", fmt.Sprintf("%.2f", usd))
		total += usd
	}
	sweeps := float64(sweepsADay * monthDays)
	row("sweeps", fmt.Sprintf("%d a day × %d days × %d s × %g GB × %g USD, and %.0f requests", sweepsADay, monthDays, sweepSeconds, memory, priceSecond, sweeps),
		sweeps*(sweepSeconds*memory*priceSecond+priceRequest))
	queues := functions - 1 // the sweep has none
	polls := float64(queues*pollers) * monthDays * 86400 / longPoll
	row("polling of queues", fmt.Sprintf("%d queues × %d pollers × one request each %d s = %.1f million, of which 1 million are free", queues, pollers, longPoll, polls/1e6),
		max(0, polls-freeCalls)*priceQueue)
	p.row("CloudWatch API requests", fmt.Sprintf("%.0f sweeps × %d, within the 1 million that are free", sweeps, sweepReads), "", "0.00")
	p.row("**In all, before flow logs**", "", "", fmt.Sprintf("**%.2f**", total))
	p.line("")
	if reads := sweeps * sweepReads; reads > freeCalls {
		panic(fmt.Sprintf("%g CloudWatch API requests cost %g USD", reads, reads*priceCalls))
	}
	p.line("As a formula, with C controls (%d), R further regions with a forwarder, and G GB of flow log records a month to CloudWatch Logs, a month costs at most", len(b.Controls))
	p.line("")
	p.line("    %.2f × (C + %d + R) + %.2f × (C + %d) + %.2f × (1 + R) + %.2f + 0.50 × G USD",
		priceAlarm, len(b.StackAlarms), priceMetric, metrics, priceKey,
		sweeps*(sweepSeconds*memory*priceSecond+priceRequest)+max(0, polls-freeCalls)*priceQueue)
	p.line("")
	p.line("for each account: deployments share nothing.")
}
