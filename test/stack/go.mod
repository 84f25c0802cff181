module github.com/pppq/pppq/test/stack

go 1.26.0
