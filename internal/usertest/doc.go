// Package usertest lets tests try what a user without rights meets.
package usertest
