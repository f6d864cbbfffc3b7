// Command audit is the Lambda function that audits the account and publishes the findings
// in Security Hub. Its schedule and people invoke it.
package main

import "github.com/relight-aws/relight/internal/publish"

func main() { publish.Function() }
